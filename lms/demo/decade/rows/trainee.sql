-- Who came for the first time. The last three columns are in clear: a phone, a guardian's, and an ID number without its
-- check character; they are sealed on the way.
SELECT {trainee_base} + n AS id, pg_temp.ref(n, 'trainee') AS ref, district_id, name, name AS name_key, birth_year,
    published_at AS created_at,
    CASE WHEN guarded THEN substr(name, 1, 1) || substr({given}, 1 + pg_temp.pick(n, 105, length({given})), 1) END
        AS guardian_name,
    CASE WHEN NOT guarded AND (kind >= 3 OR pg_temp.pick(n, 106, 10) < 6) THEN phone END AS phone,
    CASE WHEN guarded THEN phone END AS guardian_phone,
    CASE WHEN kind >= 3 AND NOT guarded THEN
        (ARRAY['110101', '110102', '110105', '110106', '110107', '110108', '110109', '110111', '110112', '110113', '110114',
            '110115', '110116', '110117', '110118', '110119', '130102', '130104', '130105', '130121', '130202', '130203',
            '130302', '130402', '130502', '130602', '130702', '130802', '130902', '131002', '131102', '140105', '150102',
            '210102', '220102', '230102', '310101', '320102', '330102', '340102', '350102', '360102', '370102', '410102',
            '420102', '430102', '440103', '510104'])[1 + slot / 365000]
        || to_char(make_date(birth_year, 1, 1) + (slot / 1000 % 365)::int, 'YYYYMMDD') || lpad((slot % 1000)::text, 3, '0')
    END AS id_body
FROM run
CROSS JOIN LATERAL generate_series(known + 1, known + fresh) AS n
CROSS JOIN LATERAL (
    SELECT extract(year FROM day)::int - CASE WHEN kind < 3 AND sector = 'school' THEN 8 + pg_temp.pick(n, 101, 11)
            ELSE 18 + pg_temp.pick(n, 101, 53) END AS birth_year,
        substr({family}, 1 + pg_temp.pick(n, 102, length({family})), 1)
            || substr({given}, 1 + pg_temp.pick(n, 103, length({given})), 1)
            || CASE WHEN pg_temp.pick(n, 104, 3) > 0
                THEN substr({given}, 1 + pg_temp.pick(n, 107, length({given})), 1) ELSE '' END AS name,
        '+86' || (ARRAY['138', '139', '150', '158', '186', '188'])[1 + pg_temp.pick(n, 108, 6)]
            || lpad((n * 48271 % 100000000)::text, 8, '0') AS phone,
        n * 104729 % (48 * 365000) AS slot
    OFFSET 0
) AS person
CROSS JOIN LATERAL (SELECT extract(year FROM day) - birth_year < 14 AS guarded) AS age
