-- Reports after the first version: why they were made, and which were withdrawn (design D8; hl7v2-lab 8.6).

alter table report_version
    add column reason        text not null default '',  -- of an amended version, as the biologist wrote it
    add column withdrawn_at  timestamptz,
    add column withdrawn_by  text,                      -- user:<login>
    add column withdrawn_why text,
    drop constraint report_version_state_check,
    add constraint report_version_state_check check (state in ('validated', 'published', 'refused', 'withdrawn')),
    add constraint report_version_withdrawn check ((state = 'withdrawn') = (withdrawn_at is not null));
