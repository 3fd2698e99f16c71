-- Filters of the worklist that a user keeps under a name. Neither a patient nor a site: what follows the ? of the list's address.
create table saved_filter (
    id              bigint generated always as identity primary key,
    user_id         integer not null references app_user,
    name            text not null check (name <> '' and length(name) <= 60),
    query           text not null check (length(query) <= 1000),
    saved_at        timestamptz not null,
    unique (user_id, name)
);
grant select, insert, update, delete on saved_filter to lab_app;
grant select on saved_filter to lab_backup;
