-- Identities as the hospital tells them (IHE PAM France): merges that can be undone, numbers that ended, stays with
-- their movements and decisions, and what left under an identity that was the wrong one.

alter table patient
    add column homonym boolean not null default false,
    add column identity_at timestamptz,            -- newest word of an identity server; null: only orders spoke
    add column merged_into uuid references patient;  -- the one that survives, at the end of every chain; null: himself
create index patient_merged on patient (merged_into) where merged_into is not null;
-- Two records of one person (R-09).
create index patient_traits on patient (legal_entity_id, birth_name, birth_date) where merged_into is null;

-- Numbers that ended without a record of ours: after a change of number, or of a merge that came before its patient.
create table patient_former_number (
    legal_entity_id integer not null references legal_entity,
    site_id         integer not null,
    local_authority text not null,
    local_id        text not null,
    patient_id      uuid not null references patient,
    ended_at        timestamptz not null,          -- as it was said
    primary key (legal_entity_id, local_authority, local_id)
);

-- Two numbers of one person that both go on (A24), or that are of two persons (A37). By number: the patients may come
-- later. a < b.
create table patient_link (
    legal_entity_id integer not null references legal_entity,
    site_id         integer not null,
    a_authority     text not null,
    a_id            text not null,
    b_authority     text not null,
    b_id            text not null,
    linked          boolean not null,
    said_at         timestamptz not null,
    primary key (legal_entity_id, a_authority, a_id, b_authority, b_id)
);

-- What happened to identities beyond their traits. `wrong_patient_id` (and the INS, where only that was wrong) is under
-- which documents may have left.
create table identity_change (
    id              bigint generated always as identity primary key,
    legal_entity_id integer not null references legal_entity,
    site_id         integer not null,
    kind            text not null check (kind in ('merged', 'split', 'ins_changed')),
    patient_id      uuid not null references patient,
    wrong_patient_id uuid not null references patient,
    wrong_matricule text,
    wrong_oid       text,
    said_at         timestamptz not null,
    at              timestamptz not null,
    since           timestamptz,                   -- of a split: when the two had become one
    actor           text not null,
    message_id      bigint,
    orders          uuid[],                        -- that were moved
    patients        uuid[],                        -- merged before into the one that ended, moved with it
    undone_at       timestamptz,
    closed_at       timestamptz,                   -- a person has dealt with its documents
    check ((kind = 'ins_changed') = (wrong_matricule is not null))
);
create index identity_change_open on identity_change (legal_entity_id, at) where closed_at is null and undone_at is null;
create index identity_change_wrong on identity_change (wrong_patient_id);

create table patient_stay (
    id              uuid primary key,
    legal_entity_id integer not null references legal_entity,
    site_id         integer not null,
    patient_id      uuid not null references patient,
    number          text not null,                 -- empty: decisions of no stay
    patient_class   text not null,
    location        text not null,
    planned         boolean not null,
    cancelled       boolean not null,
    admitted_at     timestamptz,
    discharged_at   timestamptz,
    dmp_status      text not null,
    consultation    text not null,
    admission_opposed boolean,                     -- to the feeding of the DMP; null: not asked
    admission_decided_at timestamptz,
    discharge_opposed boolean,
    discharge_decided_at timestamptz,
    said_at         timestamptz,
    beginning_said_at timestamptz,
    end_said_at     timestamptz,
    place_said_at   timestamptz,
    dmp_said_at     timestamptz,
    updated_at      timestamptz not null,
    unique (patient_id, number)
);

create table patient_movement (
    stay_id         uuid not null references patient_stay,
    movement_id     text not null,
    legal_entity_id integer not null references legal_entity,
    site_id         integer not null,
    start_at        timestamptz,
    historic        boolean not null,
    event           text not null,
    medical_ward    text not null,
    nursing_ward    text not null,
    nature          text not null,
    cancelled       boolean not null,
    said_at         timestamptz,
    primary key (stay_id, movement_id)
);

-- Events that change nothing for a laboratory: how many of each came.
create table ignored_event (
    link_id         integer not null references link,
    event           text not null,
    legal_entity_id integer not null,
    site_id         integer not null,
    count           bigint not null,
    last_at         timestamptz not null,
    primary key (link_id, event)
);

-- Where identities come from the hospital's identity server alone; of a legal entity or of a site, by FINESS.
create table identity_profile (
    finess          text primary key,
    slave           boolean not null,
    updated_at      timestamptz not null
);
grant select, insert, update on identity_profile to lab_app;
grant select on identity_profile to lab_backup;

-- A patient and those who were merged into him.
create function patient_family(who uuid) returns setof uuid language sql stable as $$
    select id from patient where id = who or merged_into = who
$$;

-- Whether nothing of that stay goes to the DMP: an opposition that came with an order or from a person, else the
-- decision of the stay, else the newest one of any stay.
create function dmp_opposed(who uuid, stay text) returns boolean language sql stable as $$
    with family as materialized (select id, dmp_opposed from patient where id = who or merged_into = who),
    decision as (
        select s.number,
               case when s.discharged_at is not null and s.discharge_opposed is not null then s.discharge_opposed
                    else s.admission_opposed end as opposed,
               case when s.discharged_at is not null and s.discharge_opposed is not null then s.discharge_decided_at
                    else s.admission_decided_at end as decided_at
        from patient_stay s where s.patient_id in (select id from family) and not s.cancelled)
    select coalesce((select bool_or(dmp_opposed) from family), false)
        or coalesce((select opposed from decision where opposed is not null
                     order by (number = stay and stay <> '') desc, decided_at desc nulls last limit 1), false)
$$;

create function messaging_opposed(who uuid) returns boolean language sql stable as $$
    select coalesce(bool_or(messaging_opposed), false) from patient where id = who or merged_into = who
$$;

grant select, insert, update on patient_former_number, patient_link, identity_change, patient_stay, patient_movement,
    ignored_event to lab_app;
grant usage on all sequences in schema public to lab_app;
grant select on patient_former_number, patient_link, identity_change, patient_stay, patient_movement, ignored_event
    to lab_backup;

do $$
declare t text;
begin
    foreach t in array array['patient_former_number', 'patient_link', 'identity_change', 'patient_stay',
                             'patient_movement'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format($p$create policy by_legal_entity on %I
            using (legal_entity_id in (select s.legal_entity_id from site s
                where s.id = any ((select visible_sites())::int[])))
            with check (legal_entity_id in (select s.legal_entity_id from site s
                where s.id = any ((select visible_sites())::int[])))$p$, t);
    end loop;
    alter table ignored_event enable row level security;
    alter table ignored_event force row level security;
    create policy by_site on ignored_event
        using (site_id = any ((select visible_sites())::int[]))
        with check (site_id = any ((select visible_sites())::int[]));
    foreach t in array array['patient_former_number', 'patient_link', 'identity_change', 'patient_stay',
                             'patient_movement', 'ignored_event'] loop
        execute format('create policy backup_reads on %I for select to lab_backup using (true)', t);
    end loop;
end $$;
