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

grant select, insert, update on link_sequence, application_answer to lab_app;
grant select on link_sequence, application_answer to lab_backup;
do $$
declare t text;
begin
    foreach t in array array['link_sequence', 'application_answer'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format($p$create policy by_site on %I
            using (site_id = any ((select visible_sites())::int[]))
            with check (site_id = any ((select visible_sites())::int[]))$p$, t);
        execute format('create policy backup_reads on %I for select to lab_backup using (true)', t);
    end loop;
end $$;
