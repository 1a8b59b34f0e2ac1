SELECT places_before + seat + 1 AS enrolment_id, 1::smallint AS attempt, pg_temp.mark(places_before + seat + 1)::smallint
    AS theory_score, assistant_id AS examiner_id, closed_at - interval '40 minutes' AS assessed_at
FROM run CROSS JOIN LATERAL generate_series(0, named - 1) AS seat
WHERE kind >= 3
