"""What the page says, in English and in French, and how each writes numbers and dates."""

from __future__ import annotations

import datetime
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg

from sessiondb.errors import SessiondbError

LANGUAGES = {"en": "English", "fr": "Français"}

_MONTHS = {
    "en": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    "fr": ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."],
}

TEXTS: dict[str, tuple[str, str]] = {
    # the frame
    "app": ("Training sessions", "Sessions de formation"),
    "skip": ("Skip to the content", "Aller au contenu"),
    "menu": ("Main menu", "Menu principal"),
    "language": ("Language", "Langue"),
    "sessions": ("Sessions", "Sessions"),
    "orgs": ("Organisations", "Organisations"),
    "new": ("New session", "Nouvelle session"),
    "back": ("Back", "Retour"),
    "pages": ("Pages", "Pages"),
    "previous": ("Previous page", "Page précédente"),
    "next": ("Next page", "Page suivante"),
    "page_n": ("Page {n}", "Page {n}"),
    "none": ("—", "—"),
    "at_least": ("{n}+", "{n}+"),
    "save": ("Save", "Enregistrer"),
    "cancel": ("Cancel", "Annuler"),
    "unnamed": ("(no title)", "(sans titre)"),
    # the things, one or several
    "n_students": ("{n} student|{n} students", "{n} étudiant|{n} étudiants"),
    "n_enrollments": ("{n} enrolment|{n} enrolments", "{n} inscription|{n} inscriptions"),
    "n_submissions": ("{n} submission|{n} submissions", "{n} soumission|{n} soumissions"),
    "n_rows": (
        "{n} old enrolment or submission|{n} old enrolments and submissions",
        "{n} ancienne inscription ou soumission|{n} anciennes inscriptions et soumissions",
    ),
    # what a session may be; any other word is shown as the platform has it
    "status_draft": ("Draft", "Brouillon"),
    "status_planned": ("Planned", "Prévue"),
    "status_scheduled": ("Scheduled", "Programmée"),
    "status_active": ("Active", "Active"),
    "status_paused": ("Paused", "En pause"),
    "status_completed": ("Completed", "Terminée"),
    "status_cancelled": ("Cancelled", "Annulée"),
    "status_archived": ("Archived", "Archivée"),
    "role_owner": ("Owner", "Propriétaire"),
    "role_admin": ("Administrator", "Administrateur"),
    "role_trainer": ("Trainer", "Formateur"),
    "role_teacher": ("Teacher", "Enseignant"),
    "role_manager": ("Manager", "Responsable"),
    "role_student": ("Student", "Étudiant"),
    "role_member": ("Member", "Membre"),
    # columns and labels
    "session": ("Session", "Session"),
    "org": ("Organisation", "Organisation"),
    "course": ("Course", "Formation"),
    "status": ("Status", "Statut"),
    "dates": ("Dates", "Dates"),
    "since": ("created {day}", "créée le {day}"),
    "from": ("from {day}", "à partir du {day}"),
    "until": ("until {day}", "jusqu'au {day}"),
    "students": ("Students", "Étudiants"),
    "student": ("Student", "Étudiant"),
    "submissions": ("Submissions", "Soumissions"),
    "last_activity": ("Last activity", "Dernière activité"),
    "enrolled": ("Enrolled", "Inscription"),
    "not_enrolled": ("not enrolled", "pas d'inscription"),
    "yes": ("yes", "oui"),
    "not_linked": ("Not linked", "Non rattachés"),
    "count": ("count", "compter"),
    "not_counted": ("see the session", "voir la session"),
    "role": ("Role", "Rôle"),
    "title": ("Title", "Titre"),
    "name": ("Name", "Nom"),
    "n": ("{n}", "{n}"),
    "and": ("{one} and {other}", "{one} et {other}"),
    "and_more": ("and {n} more", "et {n} de plus"),
    "creator": ("Created by", "Créée par"),
    "nobody": ("(no one)", "(personne)"),
    "any": ("All", "Tous"),
    "any_f": ("All", "Toutes"),
    "search": ("Search", "Rechercher"),
    "search_sessions": ("Title, course or organisation", "Titre, formation ou organisation"),
    "search_members": ("Name, e-mail or role", "Nom, e-mail ou rôle"),
    "search_orgs": ("Name of the organisation", "Nom de l'organisation"),
    "show": ("Show", "Afficher"),
    "clear": ("Show all", "Tout afficher"),
    "action": ("Action", "Action"),
    # overview
    "overview_none": ("There is no session here yet.", "Il n'y a pas encore de session ici."),
    "overview_none_found": ("No session matches.", "Aucune session ne correspond."),
    "open_first": ("Open the first session", "Ouvrir la première session"),
    "chart": ("Submissions a week", "Soumissions par semaine"),
    "chart_page": (
        "In the sessions on this page, over the last 26 weeks: {n} submission.|"
        "In the sessions on this page, over the last 26 weeks: {n} submissions.",
        "Dans les sessions de cette page, sur les 26 dernières semaines : {n} soumission.|"
        "Dans les sessions de cette page, sur les 26 dernières semaines : {n} soumissions.",
    ),
    "chart_session": (
        "In this session, over the last 26 weeks: {n} submission.|"
        "In this session, over the last 26 weeks: {n} submissions.",
        "Dans cette session, sur les 26 dernières semaines : {n} soumission.|"
        "Dans cette session, sur les 26 dernières semaines : {n} soumissions.",
    ),
    "chart_most": (
        " The busiest week began on {day}, with {most}.",
        " La semaine la plus active a commencé le {day}, avec {most}.",
    ),
    # new session
    "new_lead": (
        "A session is one group of an organisation that takes a course. Choose who takes what; nothing is created yet.",
        "Une session est un groupe d'une organisation qui suit une formation. Choisissez qui suit quoi ; rien n'est encore créé.",
    ),
    "choose": ("Choose …", "Choisissez…"),
    "continue": ("Continue", "Continuer"),
    "type_name": ("Type its name", "Tapez son nom"),
    "proposed": ("Session - {course}", "Session - {course}"),
    "create": ("Create the session", "Créer la session"),
    "then": ("What will happen", "Ce qui va se passer"),
    "new_gets": (
        "While the session is active, members of {org} who enrol in {course} or submit to it are linked to it immediately.",
        "Tant que la session est active, les membres de {org} qui s'inscrivent à {course} ou y soumettent un exercice y sont rattachés aussitôt.",
    ),
    "only_active": (
        "With any other status, nothing is linked to it.",
        "Avec un autre statut, rien n'y est rattaché.",
    ),
    "shadows": (
        "“{title}” ({since}) is active for the same course and organisation. It keeps the students who are enrolled in it, but new ones "
        "go to the new session. If it is over, give it the status “completed”.",
        "« {title} » ({since}) est active pour la même formation et la même organisation. Elle garde les étudiants qui y sont inscrits, mais "
        "les nouveaux iront dans la nouvelle session. Si elle est finie, donnez-lui le statut « terminée ».",
    ),
    "meanwhile": (
        "Nothing was created: meanwhile “{title}” was created for the same course and organisation. If that is what you meant, open "
        "it; else press the button again.",
        "Rien n'a été créé : entre-temps, « {title} » a été créée pour la même formation et la même organisation. Si c'est ce que vous "
        "vouliez, ouvrez-la ; sinon, appuyez de nouveau sur le bouton.",
    ),
    "would_link": (
        "{rows} of members of {org} in this course are not in any session yet. They can be linked to the new one.",
        "{rows} de membres de {org} dans cette formation ne sont encore dans aucune session. Elles peuvent être rattachées à la nouvelle.",
    ),
    "would_link_none": (
        "No old work of members of {org} in this course would go into this session.",
        "Aucun ancien travail de membres de {org} dans cette formation n'irait dans cette session.",
    ),
    "would_link_here": (
        "{rows} of members of {org} in this course are not in any session yet. They can be linked to this one.",
        "{rows} de membres de {org} dans cette formation ne sont encore dans aucune session. Elles peuvent être rattachées à celle-ci.",
    ),
    "link_after": ("Link them when the status is changed", "Les rattacher dès que le statut a changé"),
    "link_now": (
        "Link them when the session is created, if it is active",
        "Les rattacher dès la création de la session, si elle est active",
    ),
    # a session
    "in_session": ("Students of this session", "Étudiants de cette session"),
    "in_session_none": ("No one is in this session.", "Personne n'est dans cette session."),
    "in_session_enter": (
        "Members of {org} join it when they enrol in the course or submit to it.",
        "Les membres de {org} y entrent en s'inscrivant à la formation ou en soumettant un exercice.",
    ),
    "unlinked": (
        "Work in this course that is not in any session",
        "Travaux de cette formation qui ne sont dans aucune session",
    ),
    "unlinked_none": (
        "Nothing is missing: all work in this course is in a session.",
        "Rien ne manque : tous les travaux de cette formation sont dans une session.",
    ),
    "unlinked_slow": (
        "There is too much to count in time. Try again when the database is less busy.",
        "Il y en a tant que le décompte n'a pas abouti à temps. Réessayez quand la base est moins occupée.",
    ),
    "remedy_link": ("Belongs here, but predates the session", "Devrait être ici, mais date d'avant la session"),
    "remedy_link_why": (
        "These students are members of {org}, and this is their session. Their work predates the session, so it was never linked.",
        "Ces étudiants sont membres de {org}, et ceci est leur session. Leurs travaux datent d'avant la session : rien ne les y a rattachés.",
    ),
    "remedy_link_gives": (
        "The button puts {what} of {who} into this session. The staff of {org} can then see them.",
        "Le bouton place {what} de {who} dans cette session. L'équipe de {org} les voit alors.",
    ),
    "remedy_link_do": ("Link this work now", "Rattacher ces travaux"),
    "remedy_activate": ("The session is not active", "La session n'est pas active"),
    "remedy_activate_why": (
        "These students are members of {org}, but no session of this course is active for them.",
        "Ces étudiants sont membres de {org}, mais aucune session de cette formation n'est active pour eux.",
    ),
    "remedy_activate_gives": (
        "The button makes this session active, after asking you. Then {what} of {who} can be linked to it.",
        "Le bouton rend cette session active, après confirmation. Alors {what} de {who} pourront y être rattachées.",
    ),
    "remedy_activate_do": ("Make this session active …", "Rendre cette session active…"),
    "remedy_join": ("Not a member of {org}", "Pas membre de {org}"),
    "remedy_join_why": (
        "These students take the course, but they are not members of {org}, and no organisation of theirs has an active session of it.",
        "Ces étudiants suivent la formation, mais ne sont pas membres de {org}, et aucune organisation dont ils sont membres n'a de session active de cette formation.",
    ),
    "remedy_join_gives": (
        "The button adds the students that you select to {org}, as students. Then all work that belongs to this session is linked to it: "
        "theirs, and that of the other members that are listed above, if any. The staff of {org} can then see it.",
        "Le bouton fait de ceux que vous choisissez des étudiants de {org}. Tous les travaux qui relèvent de cette session y sont ensuite "
        "placés : les leurs, et ceux des autres membres indiqués plus haut, s'il y en a. L'équipe de {org} les voit alors.",
    ),
    "remedy_join_do": ("Add the selected students", "Ajouter les étudiants choisis"),
    "join_elsewhere": (
        "New members join “{title}”, not this session. Open it to add them.",
        "Les nouveaux membres entrent dans « {title} », et non dans cette session. Ouvrez-la pour les ajouter.",
    ),
    "join_inactive": (
        "This session is not active, so nothing is linked to it. Make it active to add them.",
        "Cette session n'est pas active : rien n'y est placé. Rendez-la active pour les ajouter.",
    ),
    "remedy_follow": ("Belongs to another session", "Relève d'une autre session"),
    "remedy_follow_why": (
        "For these students the rules choose “{title}”. Open it to link their work there.",
        "Pour ces étudiants, les règles choisissent « {title} ». Ouvrez-la pour y rattacher leurs travaux.",
    ),
    "remedy_follow_do": ("Open “{title}”", "Ouvrir « {title} »"),
    # the same, as far as one sees through row level security
    "partial": (
        "You may not see all sessions, members and work, so this page links no old work for you: it might belong elsewhere. "
        "Ask an administrator to run: sessiondb backfill --session {session}",
        "Vous ne voyez peut-être pas toutes les sessions, tous les membres et tous les travaux : cette page ne rattache donc pas d'anciens travaux, qui pourraient relever d'une "
        "autre. Demandez à un administrateur de lancer : sessiondb backfill --session {session}",
    ),
    "partial_in_session_none": ("You see no one in this session.", "Vous ne voyez personne dans cette session."),
    "partial_unlinked_none": (
        "You see no work in this course that is in no session.",
        "Vous ne voyez aucun travail de cette formation hors d'une session.",
    ),
    "partial_link": ("May belong here", "Pourrait être ici"),
    "partial_link_why": (
        "These students are members of {org}. Of the sessions that you see, the rules choose this one.",
        "Ces étudiants sont membres de {org}. Parmi les sessions que vous voyez, les règles choisissent celle-ci.",
    ),
    "partial_activate_why": (
        "These students are members of {org}, but no session of this course that you see is active for them.",
        "Ces étudiants sont membres de {org}, mais aucune session de cette formation que vous voyez n'est active pour eux.",
    ),
    "partial_join_why": (
        "These students take the course, but they are not members of {org}.",
        "Ces étudiants suivent la formation, mais ne sont pas membres de {org}.",
    ),
    "partial_follow": ("May belong to another session", "Pourrait relever d'une autre session"),
    "partial_follow_why": (
        "Of the sessions that you see, the rules choose “{title}” for these students.",
        "Parmi les sessions que vous voyez, les règles choisissent « {title} » pour ces étudiants.",
    ),
    "no_name": ("Type an e-mail or a name.", "Tapez un e-mail ou un nom."),
    "choose_one": ("Select at least one student.", "Choisissez au moins un étudiant."),
    "change_status": ("Change the status", "Changer le statut"),
    "new_status": ("New status", "Nouveau statut"),
    "see_first": ("See what follows …", "Voir les conséquences…"),
    # the status
    "status_ask": ("Change “{title}” from “{old}” to “{new}”?", "Faire passer « {title} » de « {old} » à « {new} » ?"),
    "status_same": ("The session has this status already.", "La session a déjà ce statut."),
    "status_first": (
        "From now on, members of {org} who enrol in {course} or submit to it are linked to this session.",
        "Désormais, les membres de {org} qui s'inscrivent à {course} ou y soumettent un exercice sont rattachés à cette session.",
    ),
    "status_shadowed": (
        "“{title}” is newer and active, too, so new students go there. This session only gets what its own students submit.",
        "« {title} » est plus récente et active aussi : les nouveaux étudiants y vont. Cette session ne reçoit que les soumissions de ses propres étudiants.",
    ),
    "status_shadows": (
        "“{title}” stays active, but no longer gets new students.",
        "« {title} » reste active, mais ne reçoit plus de nouveaux étudiants.",
    ),
    "status_over": (
        "New enrolments and submissions are no longer linked to this session.",
        "Les nouvelles inscriptions et soumissions ne sont plus rattachées à cette session.",
    ),
    "status_then": ("They go to “{title}”.", "Elles vont dans « {title} »."),
    "status_then_none": (
        "{org} has no other active session of {course}: new work is stored without a session, and does not appear here.",
        "{org} n'a pas d'autre session active de {course} : les nouveaux travaux sont enregistrés, mais ne sont dans aucune session, donc personne ne les voit ici.",
    ),
    "status_keeps": (
        "What is linked stays: {enrollments}, {submissions}.",
        "Ce qui est rattaché le reste : {enrollments}, {submissions}.",
    ),
    "status_neither": ("Nothing changes in what is linked.", "Rien ne change à ce qui est rattaché."),
    "status_do": ("Change the status", "Changer le statut"),
    # linking
    "linking": ("Linking old work", "Rattachement des anciens travaux"),
    "linking_leave": (
        "You can leave this page and come back: the work goes on.",
        "Vous pouvez quitter cette page et y revenir : le travail continue.",
    ),
    "linking_before": (
        "{n} session is linked before this one.|{n} sessions are linked before this one.",
        "{n} session passe avant celle-ci.|{n} sessions passent avant celle-ci.",
    ),
    "state_none": ("Nothing is being linked.", "Aucun rattachement en cours."),
    "state_waiting": (
        "Waiting for other work on the database to end …",
        "En attente de la fin d'un autre travail sur la base…",
    ),
    "state_running": ("Linking … {percent} %", "Rattachement… {percent} %"),
    "state_done": ("Everything that can be linked is linked.", "Tout ce qui peut l'être est rattaché."),
    "state_stopped": (
        "It was stopped part-way. What was linked stays linked.",
        "Arrêté en chemin. Ce qui est rattaché le reste.",
    ),
    "state_failed": (
        "It was stopped by an error. What was linked stays linked.",
        "Arrêté par une erreur. Ce qui est rattaché le reste.",
    ),
    "linked_n": (
        "{n} enrolment or submission linked.|{n} enrolments and submissions linked.",
        "{n} inscription ou soumission rattachée.|{n} inscriptions et soumissions rattachées.",
    ),
    "link_again": ("Go on", "Continuer"),
    "to_session": ("To the session", "Vers la session"),
    # an organisation
    "members": ("Members", "Membres"),
    "members_none": ("There are no members yet.", "Il n'y a encore aucun membre."),
    "members_none_found": ("No member matches.", "Aucun membre ne correspond."),
    "add_member": ("Add a member", "Ajouter un membre"),
    "user_name": ("E-mail or name", "E-mail ou nom"),
    "user_hint": (
        "The person must have an account on the platform.",
        "La personne doit avoir un compte sur la plateforme.",
    ),
    "add": ("Add", "Ajouter"),
    "remove": ("Remove …", "Retirer…"),
    "remove_do": ("Remove from the organisation", "Retirer de l'organisation"),
    "remove_of": ("Remove {name}", "Retirer {name}"),
    "remove_ask": ("Remove {name} from {org}?", "Retirer {name} de {org} ?"),
    "remove_then": (
        "New work of this person is no longer linked to sessions of {org}. What is linked stays. You can add the person again.",
        "Les nouveaux travaux de cette personne ne seront plus rattachés aux sessions de {org}. Ce qui est rattaché le reste. Vous pourrez l'ajouter à nouveau.",
    ),
    "user_hint_id": (
        "This page may not read the names of users: give the person's id.",
        "Cette page ne peut pas lire les noms des utilisateurs : donnez l'identifiant de la personne.",
    ),
    "role_of": ("Role of {name}", "Rôle de {name}"),
    "set_role": ("Set the role of {name}", "Changer le rôle de {name}"),
    "its_sessions": ("Sessions of this organisation", "Sessions de cette organisation"),
    "orgs_none": ("There is no organisation that you may see.", "Il n'y a aucune organisation que vous puissiez voir."),
    "which": ("Which “{name}” do you mean?", "Qui est « {name} » ? Choisissez une de ces personnes."),
    "which_thing": ("Which “{name}” do you mean?", "Qu'est-ce que « {name} » ? Choisissez parmi ceux-ci."),
    "no_such": (
        "Nothing here is called “{name}”. Check the spelling.",
        "Rien ne s'appelle « {name} » ici. Vérifiez l'orthographe.",
    ),
    "no_such_user": (
        "No one here is called “{name}”. Check the spelling.",
        "Personne ne s'appelle « {name} » ici. Vérifiez l'orthographe.",
    ),
    "which_more": (
        "There may be more. Type the e-mail or the whole name.",
        "Il y en a peut-être d'autres. Tapez l'e-mail ou le nom complet.",
    ),
    "already": ("a member already", "déjà membre"),
    "choose_person": ("Choose", "Choisir"),
    # done
    "done_created": ("The session is created.", "La session est créée."),
    "done_status": ("The status is changed.", "Le statut est changé."),
    "done_added": ("Added to the organisation.", "Ajout à l'organisation effectué."),
    "done_added_links": (
        "Added to the organisation. All work that belongs to this session is being linked, including that of earlier members.",
        "Ajout à l'organisation effectué. Tous les travaux qui relèvent de cette session y sont rattachés, y compris ceux de membres plus anciens.",
    ),
    "done_was_added": ("Already a member; nothing was changed.", "Déjà membre ; rien n'a changé."),
    "done_role": ("The role is changed.", "Le rôle est changé."),
    "done_removed": ("Removed from the organisation.", "Retrait de l'organisation effectué."),
    # what goes wrong
    "error": ("This did not work", "Cela n'a pas fonctionné"),
    "error_detail": ("The database says: “{message}”", "La base de données indique : « {message} »"),
    "error_ours": ("sessiondb says: “{message}”", "sessiondb indique : « {message} »"),
    "wrong_setup": (
        "This page cannot do that on this database.",
        "Cette page ne peut pas faire cela avec cette base de données.",
    ),
    "wrong_creator": (
        "This platform requires the creator of a session: choose one.",
        "Cette plateforme exige de savoir qui crée une session : choisissez quelqu'un.",
    ),
    "wrong_value": (
        "The platform does not take one of the values.",
        "La plateforme n'accepte pas l'une des valeurs données.",
    ),
    "wrong_gone": (
        "What this is about does not exist, or no longer exists. Reload the page.",
        "Ce dont il est question n'existe pas, ou n'existe plus. Rechargez la page.",
    ),
    "wrong_twice": (
        "The platform has this already, and takes it only once.",
        "La plateforme l'a déjà, et ne l'accepte qu'une fois.",
    ),
    "wrong_column": (
        "The platform requires something that this page does not ask for.",
        "La plateforme exige une donnée que cette page ne demande pas.",
    ),
    "wrong_rule": ("A rule of the platform does not allow this.", "Une règle de la plateforme ne permet pas cela."),
    "wrong_right": (
        "The database does not give you the right to see or do this. If you need it, ask the people who run the platform.",
        "La base de données ne vous donne pas le droit de voir ou de faire cela. S'il vous le faut, adressez-vous à l'équipe technique.",
    ),
    "wrong_busy": (
        "The database is busy with something else. Try again in a moment.",
        "La base de données est occupée à autre chose. Réessayez dans un instant.",
    ),
    "wrong_read_only": (
        "Nothing can be changed in the database at the moment, only read.",
        "La base de données est en lecture seule pour le moment : rien ne peut y être changé.",
    ),
    "wrong_shape": (
        "The database is not as this page expects it.",
        "La base de données n'est pas telle que cette page l'attend.",
    ),
    "wrong_full": (
        "The database has reached one of its limits, for instance of memory or disk space.",
        "La base de données a atteint une de ses limites, par exemple de mémoire ou d'espace disque.",
    ),
    "wrong_fault": (
        "Something went wrong inside the database.",
        "Une erreur s'est produite à l'intérieur de la base de données.",
    ),
    "error_back": (
        "Go back and try again, or ask the people who run the platform.",
        "Revenez en arrière et réessayez, ou adressez-vous à l'équipe technique.",
    ),
    "lost": ("The database does not answer", "La base de données ne répond pas"),
    "lost_why": (
        "Nothing is lost. This page tries again by itself every few seconds.",
        "Rien n'est perdu. Cette page réessaie d'elle-même toutes les quelques secondes.",
    ),
    "lost_posted": (
        "It is not known whether your last change was saved: check before you make it again.",
        "On ne sait pas si votre dernière modification a été faite : vérifiez avant de la refaire.",
    ),
    "retry": ("Try again", "Réessayer"),
    "slow": ("This took too long", "Cela a pris trop de temps"),
    "denied": ("You do not have access to this", "Vous ne pouvez ni voir ni faire cela"),
    "denied_token": (
        "Open the whole address that “sessiondb trainer” printed. It is good once; if it was used before, start the command again, or ask the person who gave it to you for another.",
        "Ouvrez l'adresse complète affichée par « sessiondb trainer ». Elle ne sert qu'une fois ; si elle a déjà servi, relancez la commande, ou demandez-en une autre à qui vous l'a donnée.",
    ),
    "denied_user": ("Log in on the platform first.", "Connectez-vous d'abord à la plateforme."),
    "denied_form": (
        "This form is out of date. Go back, reload the page and try again.",
        "Ce formulaire n'est plus valable. Revenez en arrière, rechargez la page et réessayez.",
    ),
    "denied_host": ("This page is not served under this name.", "Cette page n'est pas servie sous ce nom."),
    "missing": ("There is no such page", "Cette page n'existe pas"),
    "missing_why": (
        "It was removed, or you may not see it.",
        "Elle a été supprimée, ou vous n'avez pas le droit de la voir.",
    ),
    "entering": ("Enter", "Entrer"),
}
"""Each text in both languages. Where a bar divides it, the first part is for one and the second for several."""


@dataclass(frozen=True)
class Texts:
    """The texts of a language."""

    lang: str

    def __call__(self, key: str, **values: Any) -> str:
        """Return a text with its values, numbers as the language writes them; ``n`` chooses between one and several."""
        text = TEXTS[key][self.lang == "fr"]
        if self.lang == "fr":
            text = _typeset(text, values)
        if "n" in values and "|" in text:
            one, several = text.split("|", 1)
            text = one if abs(values["n"]) == 1 or (values["n"] == 0 and self.lang == "fr") else several
        return text.format(**{k: self.number(v) if isinstance(v, int) else v for k, v in values.items()})

    def number(self, value: int) -> str:
        """Return a number with its thousands apart."""
        return f"{value:,}".replace(",", "\u202f" if self.lang == "fr" else ",")

    def count(self, key: str, value: int, most: int) -> str:
        """Return a count of things, which is "at least" from ``most`` on."""
        text = self(key, n=value)
        return text.replace(self.number(value), self("at_least", n=value), 1) if value >= most else text

    def day(self, value: Any) -> str:
        """Return a date without its time; what Python cannot hold is text already."""
        if value is None:
            return self("none")
        if not isinstance(value, datetime.date):
            return str(value)
        if isinstance(value, datetime.datetime):
            with suppress(OverflowError):  # the first and the last day that Python knows
                value = value.astimezone()
        return f"{value.day} {_MONTHS[self.lang][value.month - 1]} {value.year}"

    def wrong(self, error: SessiondbError) -> list[str]:
        """Return what went wrong in words of the language, then as the database says it."""
        cause = error.__cause__ or error.__context__
        message = " ".join(error.lines)
        if not isinstance(cause, psycopg.Error):
            return [self("wrong_setup"), self("error_ours", message=message)]
        state = str(cause.sqlstate)
        known = (_WRONG.get(part) for part in (f"{state} {cause.diag.column_name}", state, state[:2]))
        return [self(next(filter(None, known), "wrong_rule")), self("error_detail", message=message)]

    def label(self, kind: str, value: str | None) -> str:
        """Return the word for a status or a role, the platform's own where we have none."""
        text = TEXTS.get(f"{kind}_{value}")
        return text[self.lang == "fr"] if text and value in _LABELS[kind] else (value or self("none"))


_WRONG = {
    "23502 created_by": "wrong_creator",
    "23502": "wrong_column",
    "23503": "wrong_gone",
    "P0002": "wrong_gone",
    "23505": "wrong_twice",
    "42501": "wrong_right",
    "25006": "wrong_read_only",
    "55000": "wrong_shape",
    **dict.fromkeys(("21", "22"), "wrong_value"),
    **dict.fromkeys(("0L", "0P", "28"), "wrong_right"),
    **dict.fromkeys(("40", "55", "57"), "wrong_busy"),
    **dict.fromkeys(("0A", "3D", "3F", "42"), "wrong_shape"),
    **dict.fromkeys(("53", "54"), "wrong_full"),
    **dict.fromkeys(("0B", "24", "25", "26", "2D", "34", "3B", "58", "72", "F0", "HV", "XX"), "wrong_fault"),
}
"""What is said of an error: by its SQLSTATE, with the column where that matters, or by the class of that. Any other is of a
rule of the platform, which may raise a code of its own."""

_LABELS = {
    "status": {"draft", "planned", "scheduled", "active", "paused", "completed", "cancelled", "archived"},
    "role": {"owner", "admin", "trainer", "teacher", "manager", "student", "member"},
}


def _typeset(text: str, values: dict[str, Any]) -> str:
    """Return a French text that breaks no line before a punctuation mark, and elides "de" before a name with a vowel."""
    text = re.sub(r"(?<=«) | (?=[:;?!»%])", "\u00a0", text)
    elided = [name for name, value in values.items() if re.match("[aeiouyàâäéèêëîïôöùûüœæ]", str(value), re.IGNORECASE)]
    for name in elided:
        text = text.replace(f" de {{{name}}}", f" d'{{{name}}}")
    return text
