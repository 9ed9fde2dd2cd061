-- What became of the alerts that somebody with limits sees.
alert IN
(
    SELECT id FROM alerts FINAL
    WHERE {workflows}
      AND {groups}
)
