// The page works without this: here what goes on is shown as it goes on, and a form is not sent twice.
"use strict";

async function look(part) {
  try {
    const answer = await fetch(part.dataset.from || location.href, { credentials: "same-origin" });
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById(part.id);
      if (fresh && fresh.innerHTML !== part.innerHTML) part.innerHTML = fresh.innerHTML;
      if (fresh && !fresh.dataset.poll) return;
    }
  } catch {
    // the server is away; look again
  }
  setTimeout(look, 1000, part);
}

for (const part of document.querySelectorAll("[data-poll]")) setTimeout(look, Number(part.dataset.poll), part);

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
addEventListener("pageshow", () => document.querySelectorAll("form").forEach((form) => delete form.dataset.sent));
