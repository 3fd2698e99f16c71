-- Steps are of an order: a tube's number may have belonged to another one, whose steps the analyser has not given back yet.
drop index awos_open;
create unique index awos_open on awos (link_id, order_id, specimen_number, analyte)
    where state in ('asked', 'accepted', 'cancelling');
