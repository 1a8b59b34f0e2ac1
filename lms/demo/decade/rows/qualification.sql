-- Leave to teach, three years at a time; half of them let it end when the ten years did.
SELECT teacher.id AS instructor_id, programme AS programme_code, make_date(year, 1, 1) AS valid_from,
    make_date(year + 2, 12, 31) AS valid_until
FROM teacher
CROSS JOIN unnest(ARRAY['RESCUE', 'FIRST_RESPONDER']) AS programme
CROSS JOIN generate_series(2006, 2027, 3) AS year
WHERE year < 2018 OR (NOT hired AND pg_temp.pick(n, 86, 10) < 7 AND pg_temp.pick(n, 87, 2) = 0)
