-- The desk: orders that people type and correct, patients looked for, and what became of identities.

-- What a screen of the desk said, once: a second click finds it done. `token` is the SHA-256 of what the screen carried.
create table desk_deed (
    token           bytea primary key,
    legal_entity_id integer not null references legal_entity,
    site_id         integer not null references site,
    order_id        uuid not null references lab_order,
    actor           text not null,                 -- user:<login>
    at              timestamptz not null
);
-- Numbers of patients whom the hospital does not know: L and this.
create sequence desk_patient_number;

-- Each step of an identity, whoever makes it: status and INS as they were, and the traits where they changed.
create table patient_history (
    id              bigint generated always as identity primary key,
    legal_entity_id integer not null references legal_entity,
    site_id         integer not null,
    patient_id      uuid not null references patient,
    at              timestamptz not null,
    was_status      text not null,
    is_status       text not null,
    ins_changed     boolean not null,
    reliability     text not null,                 -- doubtful, fictitious or empty: as it is since
    was_traits      jsonb                          -- null: the same
);
create index patient_history_patient on patient_history (patient_id, id);
create function remember_identity() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
    insert into public.patient_history (legal_entity_id, site_id, patient_id, at, was_status, is_status, ins_changed, reliability, was_traits)
    values (new.legal_entity_id, new.site_id, new.id, new.updated_at, old.status, new.status,
            (old.ins_matricule, old.ins_oid) is distinct from (new.ins_matricule, new.ins_oid),
            case when new.doubtful then 'doubtful' when new.fictitious then 'fictitious' else '' end,
            case when (old.birth_name, old.birth_given_names, old.first_given_name, old.birth_date, old.sex, old.birth_place, old.used_name)
                      is distinct from
                      (new.birth_name, new.birth_given_names, new.first_given_name, new.birth_date, new.sex, new.birth_place, new.used_name)
                 then jsonb_build_object('birth_name', old.birth_name, 'birth_given_names', old.birth_given_names,
                                         'first_given_name', old.first_given_name, 'birth_date', old.birth_date, 'sex', old.sex,
                                         'birth_place', old.birth_place, 'used_name', old.used_name)
            end);
    return null;
end $$;
create trigger remember_identity after update on patient for each row
    when ((old.status, old.doubtful, old.fictitious, old.ins_matricule, old.ins_oid, old.birth_name, old.birth_given_names,
           old.first_given_name, old.birth_date, old.sex, old.birth_place, old.used_name)
          is distinct from
          (new.status, new.doubtful, new.fictitious, new.ins_matricule, new.ins_oid, new.birth_name, new.birth_given_names,
           new.first_given_name, new.birth_date, new.sex, new.birth_place, new.used_name))
    execute function remember_identity();

-- A patient by his number alone or by the name that he uses, and his orders.
create index patient_used_name on patient (legal_entity_id, used_name) where used_name <> '' and merged_into is null;
create index patient_number on patient (legal_entity_id, local_id);
create index lab_order_patient on lab_order (patient_id, registered_at);

grant select, insert on desk_deed, patient_history to lab_app;
grant select on desk_deed, patient_history to lab_backup;
grant usage on sequence desk_patient_number to lab_app;
grant select on sequence desk_patient_number to lab_backup;
grant usage on all sequences in schema public to lab_app;
grant update (number) on order_number to lab_app;  -- a tube gets its right number
alter table desk_deed enable row level security;
alter table desk_deed force row level security;
create policy by_site on desk_deed
    using (site_id = any ((select visible_sites())::int[]))
    with check (site_id = any ((select visible_sites())::int[]));
create policy backup_reads on desk_deed for select to lab_backup using (true);
alter table patient_history enable row level security;
alter table patient_history force row level security;
create policy by_legal_entity on patient_history
    using (legal_entity_id in (select s.legal_entity_id from site s
        where s.id = any ((select visible_sites())::int[])))
    with check (legal_entity_id in (select s.legal_entity_id from site s
        where s.id = any ((select visible_sites())::int[])));
create policy backup_reads on patient_history for select to lab_backup using (true);
