-- A talk's headcount that was too low, or the last of a class's list, who had been overlooked.
SELECT id AS offering_id, corrected AS kind, CASE kind WHEN 2 THEN places_before + named END AS enrolment_id,
    CASE kind WHEN 1 THEN overlooked END AS heads,
    closed_at + CASE corrected WHEN 'adjustment' THEN interval '150 days' ELSE interval '2 days' END AS at
FROM run WHERE corrected IS NOT NULL
