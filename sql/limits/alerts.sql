-- Alerts of the workflows, and with the values of the groups, that somebody is limited to.
{workflows}
AND {groups}
