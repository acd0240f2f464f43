-- A trigger that looks nothing up: what calling one costs.
CREATE FUNCTION bench.form() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $function$
BEGIN
    RETURN NEW;
END
$function$;
