-- Incidents all of whose alerts somebody with limits sees: what is said of one is said of all of its alerts. The inner statement is filtered
-- by sql/limits/alerts.sql as any other, so that it counts those that they see. Title and evidence tell of the cause, which is none of its
-- alerts any more where it went into another incident.
alerts <= (SELECT mapFromArrays(groupArray(incident), groupArray(seen)) FROM (SELECT incident, uniqExact(id) AS seen FROM alerts FINAL GROUP BY incident))[id]
AND (cause = '' OR cause IN (SELECT id FROM alerts FINAL))
