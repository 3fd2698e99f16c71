-- What people say of a link's codes, units, values and flags, beside its imported definition (design D15): where both
-- name the same thing, the import counts. Append-only but for its end.
create table link_mapping (
    id              bigint generated always as identity primary key,
    link_id         integer not null references link,
    kind            text not null check (kind in ('code', 'unit', 'value', 'flag')),
    theirs          text not null,
    unit            text not null,                 -- of a code: the unit of the values that it is for; empty: any
    definition      jsonb not null,                -- ours, factor; does, text
    made_at         timestamptz not null,
    made_by         text not null,
    made_why        text not null,
    ended_at        timestamptz,
    ended_by        text,
    ended_why       text
);
create unique index link_mapping_current on link_mapping (link_id, kind, theirs, unit) where ended_at is null;
grant select, insert on link_mapping to lab_app;
grant update (ended_at, ended_by, ended_why) on link_mapping to lab_app;

-- A message that is read again looks for what it did before: in its orders, and among what found none.
create index result_without_order on result (message_id) where order_id is null;
create index work_item_message on work_item (message_id) where message_id is not null;
