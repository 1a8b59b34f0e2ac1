SELECT id, pg_temp.ref(n, 'instructor') AS ref,
    substr({family}, 1 + pg_temp.pick(n, 81, length({family})), 1) || substr({given}, 1 + pg_temp.pick(n, 82, length({given})), 1)
        || CASE WHEN pg_temp.pick(n, 83, 3) > 0 THEN substr({given}, 1 + pg_temp.pick(n, 84, length({given})), 1) ELSE '' END
        AS name,
    'BJ-SZ-' || lpad(n::text, 5, '0') AS registration_number, district_id,
    (ARRAY['junior', 'junior', 'junior', 'intermediate', 'intermediate', 'senior'])[1 + pg_temp.pick(n, 85, 6)] AS level,
    pg_temp.pick(n, 86, 10) < 7 AS active
FROM teacher WHERE NOT hired
