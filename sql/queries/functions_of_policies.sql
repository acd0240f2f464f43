-- The names of our functions that the policies for staff call: exactly the roles of these may execute them.
VALUES ('sessions_of_staff'), ('current_user_id')
