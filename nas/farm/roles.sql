-- The rights of a team: two roles without login, to be granted to accounts. `nas store init-roles` runs this as the
-- owner of the database; it may be run again.
--
--   CREATE ROLE laptop LOGIN PASSWORD '...'; GRANT nas_driver TO laptop;    asks, keeps runs and measurements
--   CREATE ROLE t4box LOGIN PASSWORD '...';  GRANT nas_worker TO t4box;     does jobs; sees no run and no measurement

DO $$ BEGIN CREATE ROLE nas_driver NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE nas_worker NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO nas_driver, nas_worker;

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO nas_driver;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO nas_driver;

GRANT SELECT, UPDATE, DELETE ON procrastinate_jobs TO nas_worker;
GRANT SELECT, INSERT ON procrastinate_events TO nas_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON procrastinate_workers TO nas_worker;
GRANT SELECT, UPDATE ON procrastinate_periodic_defers TO nas_worker;
GRANT SELECT, INSERT, DELETE ON nas_answers TO nas_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON nas_lanes TO nas_worker;
GRANT USAGE, SELECT ON procrastinate_workers_id_seq, procrastinate_events_id_seq TO nas_worker;
