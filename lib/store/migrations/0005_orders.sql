-- Orders that change after they were registered (hl7v2-lab 7): who asked, refused specimens, what the requester knew.

alter table lab_order add column link_id integer;  -- who asked; null: typed at the desk
-- ORC-4: a prescription that goes on in a later message, or is cancelled as a whole.
create index lab_order_group on lab_order (placer_group, patient_id);

alter table specimen
    add column refusal_code text not null default '',  -- table 0490
    add column refusal      text not null default '',  -- why, French; both empty: not refused
    add column refused_at   timestamptz;

-- Results of somebody else that came with an order (PRIOR_RESULT): shown beside it, never results of ours.
create table prior_result (
    order_id        uuid not null references lab_order,
    message_id      bigint not null,
    position        integer not null,
    legal_entity_id integer not null,
    site_id         integer not null,
    content         jsonb not null,                -- code, label, value, unit, range, flag, time, laboratory as received
    primary key (order_id, message_id, position)
);
grant select, insert on prior_result to lab_app;
grant select on prior_result to lab_backup;
alter table prior_result enable row level security;
alter table prior_result force row level security;
create policy by_site on prior_result
    using (site_id = any ((select visible_sites())::int[]))
    with check (site_id = any ((select visible_sites())::int[]));
create policy backup_reads on prior_result for select to lab_backup using (true);
