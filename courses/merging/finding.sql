-- Statements of courses/merging/finding.py: pairs of records that may be of one person. `first_id` is the lower id.
-- Two residents' ID numbers that differ are two people, and so are different years of birth.

-- Records with one phone and one name, or a name that is read alike (李晓明 and 李小明). A phone of a company stands in
-- thousands of records, so of those with other names the next :most are looked at.
-- name: phone
SELECT own.id AS first_id, other.id AS second_id, other.reason
FROM trainee AS own
CROSS JOIN LATERAL (
    SELECT twin.id, 'phone_name' AS reason, twin.birth_year, twin.id_type, twin.id_number_index FROM trainee AS twin
    WHERE twin.phone_index = own.phone_index AND twin.name_key = own.name_key AND twin.id > own.id
        AND twin.merged_into_id IS NULL
    UNION ALL
    SELECT near.id, 'phone_sound', near.birth_year, near.id_type, near.id_number_index FROM (
        SELECT * FROM trainee AS next WHERE next.phone_index = own.phone_index AND next.id > own.id
            AND next.merged_into_id IS NULL LIMIT :most
    ) AS near
    WHERE near.name_key <> own.name_key AND near.name_sound <> ''
        AND regexp_replace(near.name_sound, '[^a-z:]', '', 'g') = nullif(regexp_replace(own.name_sound, '[^a-z:]', '', 'g'), '')
) AS other
WHERE own.id BETWEEN :first AND :last AND own.phone_index IS NOT NULL AND own.merged_into_id IS NULL
    AND NOT (coalesce(own.id_type = 'resident' AND other.id_type = 'resident', false)
        AND own.id_number_index <> other.id_number_index)
    AND coalesce(own.birth_year = other.birth_year, true)

-- The same number, registered as two kinds of document.
-- name: id_number
SELECT least(own.id, other.id) AS first_id, greatest(own.id, other.id) AS second_id, 'id_number' AS reason
FROM trainee AS own
JOIN trainee AS other ON other.id_type = ANY (CAST(:types AS text[])) AND other.id_number_index = own.id_number_index
    AND other.id <> own.id AND other.merged_into_id IS NULL
WHERE own.id BETWEEN :first AND :last AND own.id_type <> 'resident' AND own.merged_into_id IS NULL

-- People of one host with one reading of the name and one year of birth, whom nothing else tells apart: they were never
-- together in one class. phones: both have one, and not the same, so the caller compares their ends.
-- name: host
WITH people AS MATERIALIZED (
    SELECT trainee.id, trainee.ref, trainee.birth_year, trainee.name_key, trainee.id_type, trainee.id_number_index,
        trainee.phone_index, trainee.phone_sealed, trainee.email_index,
        regexp_replace(trainee.name_sound, '[^a-z:]', '', 'g') AS sound
    FROM (
        SELECT DISTINCT enrolment.trainee_id FROM offering JOIN enrolment ON enrolment.offering_id = offering.id
        WHERE offering.organisation_id = :host
    ) AS enrolled
    JOIN trainee ON trainee.id = enrolled.trainee_id
    WHERE trainee.birth_year IS NOT NULL AND trainee.merged_into_id IS NULL AND trainee.erased_at IS NULL
)
SELECT own.id AS first_id, other.id AS second_id,
    CASE WHEN own.name_key = other.name_key THEN 'host_name' ELSE 'host_sound' END AS reason,
    own.phone_index IS NOT NULL AND other.phone_index IS NOT NULL
        AND coalesce(own.email_index <> other.email_index, true) AS phones,
    own.ref AS own_ref, own.phone_sealed AS own_phone, other.ref AS other_ref, other.phone_sealed AS other_phone
FROM people AS own
JOIN people AS other ON other.sound = own.sound AND other.birth_year = own.birth_year AND other.id > own.id
WHERE own.sound <> '' AND coalesce(own.phone_index <> other.phone_index, true)
    AND NOT coalesce(own.id_type = other.id_type AND own.id_number_index <> other.id_number_index, false)
    AND NOT EXISTS (
        SELECT FROM enrolment AS mine JOIN enrolment AS theirs ON theirs.offering_id = mine.offering_id
        WHERE mine.trainee_id = own.id AND theirs.trainee_id = other.id
            AND mine.sessions_attended > 0 AND theirs.sessions_attended > 0
    )
LIMIT :most
