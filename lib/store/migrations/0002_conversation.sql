-- What a conversation keeps beside its messages (hl7v2-lab 3.2, 3.6).

-- The last sequence number taken on a link; null: none, or since a resynchronisation.
create table link_sequence (
    link_id         integer primary key references link,
    legal_entity_id integer not null,
    site_id         integer not null,
    last            bigint,
    at              timestamptz not null
);

-- Application acknowledgements that go out as messages of their own: owed from the moment the message is stored.
create table application_answer (
    message_id      bigint primary key,
    legal_entity_id integer not null,
    site_id         integer not null,
    link_id         integer not null references link,
    control_id      text not null,                 -- MSH-10 of the answer, the same in every attempt
    state           text not null check (state in ('due', 'done', 'dead')),
    attempts        integer not null default 0,
    created_at      timestamptz not null,
    next_attempt_at timestamptz not null,
    done_at         timestamptz,
    error_what      text not null default ''       -- why the last attempt failed; no patient data
);
create index application_answer_due on application_answer (link_id, next_attempt_at) where state = 'due';
create unique index application_answer_control on application_answer (link_id, control_id);

-- What happens on a link and is worth a look, counted: reused_control_id (hl7v2-lab 2.5).
create table link_counter (
    link_id         integer not null,
    legal_entity_id integer not null,
    site_id         integer not null,
    name            text not null,
    count           bigint not null,
    last_at         timestamptz not null,
    primary key (link_id, name)
);

-- ── Work for analysers (hl7v2-lab 6.1 to 6.3) ─────────────────────────────────────────────────────────────────────────────
create sequence awos_number;
-- One step: one analysis on one specimen by one analyser. Its number is also an order_number of kind A.
create table awos (
    number          bigint primary key,            -- AW00000001 in OBR-2
    legal_entity_id integer not null,
    site_id         integer not null,
    link_id         integer not null references link,
    order_id        uuid not null references lab_order,
    specimen_number text not null,
    analyte         text not null,                 -- local code
    state           text not null check (state in ('asked', 'accepted', 'refused', 'cancelling', 'cancelled',
                                                   'not_cancelled', 'done')),
    told            integer not null default 1,    -- how many messages asked for it
    asked_at        timestamptz not null,
    changed_at      timestamptz not null
);
create unique index awos_open on awos (link_id, specimen_number, analyte)
    where state in ('asked', 'accepted', 'cancelling');
create index awos_order on awos (order_id);

-- A work order as it goes out: the same bytes and MSH-10 until the analyser answers.
create table work_message (
    link_id         integer not null references link,
    control_id      text not null,
    legal_entity_id integer not null,
    site_id         integer not null,
    order_id        uuid references lab_order,     -- null: there is no work for the specimen
    steps           bigint[] not null,
    state           text not null check (state in ('due', 'done', 'dead')),
    attempts        integer not null default 0,
    created_at      timestamptz not null,
    next_attempt_at timestamptz not null,
    done_at         timestamptz,
    error_what      text not null default '',
    raw             bytea not null,
    primary key (link_id, control_id)
);
create index work_message_due on work_message (link_id, next_attempt_at) where state = 'due';

-- Orders whose work a link gets unasked; written with the order, gone once the work is written.
create table work_due (
    link_id         integer not null references link,
    order_id        uuid not null references lab_order,
    legal_entity_id integer not null,
    site_id         integer not null,
    created_at      timestamptz not null,
    primary key (link_id, order_id)
);

grant delete on work_due to lab_app;
grant usage on sequence awos_number to lab_app;
grant select, insert, update on link_sequence, application_answer, link_counter, awos, work_message, work_due to lab_app;
grant select on link_sequence, application_answer, link_counter, awos, work_message, work_due to lab_backup;
do $$
declare t text;
begin
    foreach t in array array['link_sequence', 'application_answer', 'link_counter', 'awos', 'work_message', 'work_due'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format($p$create policy by_site on %I
            using (site_id = any ((select visible_sites())::int[]))
            with check (site_id = any ((select visible_sites())::int[]))$p$, t);
        execute format('create policy backup_reads on %I for select to lab_backup using (true)', t);
    end loop;
end $$;
