-- What the web and the worker may do in this database. Migration 0003 runs it; it may be run again at any time, by the owner
-- of the tables: psql … -f migrations/roles.sql
--
-- lms_web: reads and writes, and never alters or removes a line of record; cannot make a certificate, a line of the ledger of
-- issuance, or a key. lms_worker: the same, and issues. Logins are made members of one of them (docs/operations.md).

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['lms_web', 'lms_worker'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            EXCEPTION
                WHEN duplicate_object OR unique_violation THEN
                    NULL;  -- another database of this server makes it at the same moment
                WHEN insufficient_privilege THEN
                    RAISE WARNING 'the role % is missing and this user may not make it: see docs/operations.md, "Roles"', wanted;
            END;
        END IF;
    END LOOP;
END $$;

DO $$
DECLARE
    given text;
    record_table text;
BEGIN
    FOR given IN SELECT rolname FROM pg_roles WHERE rolname IN ('lms_web', 'lms_worker') ORDER BY rolname LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', given);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO %I', given);
        EXECUTE format('GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO %I', given);
        -- Tables of later migrations; one that is a table of record takes UPDATE and DELETE away again.
        EXECUTE format(
            'ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %I', given);
        EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO %I', given);
        -- A table of record is one that bears the trigger of migration 0001.
        FOR record_table IN SELECT tgrelid::regclass FROM pg_trigger WHERE tgname = 'append_only' LOOP
            EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %s FROM %I', record_table, given);
        END LOOP;
        IF to_regclass('privacy_text') IS NOT NULL THEN  -- migration 0026
            EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON privacy_text FROM %I', given);
        END IF;
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM %I', given);
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON signing_key FROM %I', given);
        IF to_regclass('record_numbering') IS NOT NULL THEN  -- migration 0003 runs this, and 0024 makes the tables
            EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON record_numbering FROM %I', given);
            IF given = 'lms_web' THEN
                EXECUTE format('REVOKE INSERT ON record_block FROM %I', given);
            END IF;
        END IF;
        -- A row that is locked for sharing demands the right to update something of it.
        IF given = 'lms_worker' THEN
            EXECUTE format('GRANT UPDATE (state) ON signing_key TO %I', given);
        ELSE
            EXECUTE format('REVOKE INSERT, DELETE ON certificate FROM %I', given);
            EXECUTE format('REVOKE INSERT ON ledger_entry FROM %I', given);
            EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON issuer_key, status_list FROM %I', given);
            -- It asks for a badge and removes one with its holder's data; the worker signs it.
            EXECUTE format('REVOKE UPDATE ON badge FROM %I', given);
            IF to_regclass('wallet_pass') IS NOT NULL THEN  -- migration 0040
                EXECUTE format('REVOKE UPDATE ON wallet_pass FROM %I', given);
            END IF;
        END IF;
    END LOOP;
END $$;
