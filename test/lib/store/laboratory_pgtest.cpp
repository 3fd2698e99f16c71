#include "lib/store/laboratory.hpp"

#include <fstream>
#include <sstream>

#include "config/import.hpp"
#include "lib/base/password.hpp"
#include "lib/base/time.hpp"
#include "lib/delivery/partners.hpp"
#include "lib/store/laboratory_queries.hpp"
#include "lib/store/mapping.hpp"
#include "lib/store/mapping_rows.hpp"
#include "test/lib/store/pg/cluster_fixture.hpp"

namespace sgl::store {
namespace {

using namespace domain;

std::string file(const std::string& name) {
    std::ifstream in("config/" + name, std::ios::binary);
    std::stringstream all;
    all << in.rdbuf();
    return all.str();
}

Import sample(const std::string& name) {
    return config::parse_import(file(name)).value();
}

constexpr const char* samples[] = {"laboratory.sample.toml",    "links.sample.toml", "partners.sample.toml",
                                   "correspondents.sample.csv", "users.sample.toml", "catalogue.sample.csv"};

class PgLaboratory : public pg::test::DatabaseTest {
protected:
    Result<Applied> apply(Import import, Instant now = Instant{std::chrono::hours{500000}}) {
        auto all = apply_all({{"", std::move(import)}}, now);
        if (!all) return all.error();
        return all->front();
    }
    Result<std::vector<Applied>> apply_all(std::vector<ImportFile> files,
                                           Instant now = Instant{std::chrono::hours{500000}}) {
        return run(store::apply(pool_, std::move(files), "cli:test", now));
    }
    Applied apply_sample(const std::string& name) { return apply(sample(name)).value(); }
    void apply_samples() {
        for (const auto* name : samples)
            apply_sample(name);
    }
    LaboratoryPtr load() { return run(store::load(pool_)); }
    std::int64_t count(std::string_view sql) {
        const pg::Rows rows = run(pool_.query(pg::Query{"", sql}));
        return rows[0].int64(0);
    }
    void as_owner(std::string_view sql) {
        pg::Connection owner(executor());
        run(owner.connect(conninfo("lab_migrate")));
        run(owner.execute(std::string("set role lab_owner;").append(sql)));
    }

    pg::Pool pool_{executor(), conninfo(), 2, pg::test::session()};
};

std::string with(std::string text, std::string_view from, std::string_view to) {
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

}  // namespace

TEST_F(PgLaboratory, PreparesEveryQuery) {
    pg::Connection connection(executor());
    run(connection.connect(conninfo()));
    int number = 0;
    for (const auto& query : laboratory::all) {
        const auto text = std::string("prepare q").append(std::to_string(++number)).append(" as ").append(query.sql);
        EXPECT_NO_THROW(run(connection.execute(text))) << query.name;
    }
    for (const auto& query : mapping_rows::all) {
        const auto text = std::string("prepare q").append(std::to_string(++number)).append(" as ").append(query.sql);
        EXPECT_NO_THROW(run(connection.execute(text))) << query.name;
    }
}

TEST_F(PgLaboratory, LoadsNothingFromAnEmptyDatabase) {
    const auto laboratory = load();
    EXPECT_TRUE(laboratory->legal_entities().empty());
    EXPECT_EQ(laboratory->change(), 0);
}

TEST_F(PgLaboratory, LoadsWhatTheSamplesSay) {
    apply_samples();
    const auto laboratory = load();
    ASSERT_EQ(laboratory->legal_entities().size(), 2U);
    ASSERT_EQ(laboratory->sites().size(), 3U);
    const auto& entity = laboratory->legal_entities()[0];
    auto expected_entity = sample("laboratory.sample.toml").legal_entities[0];
    EXPECT_EQ(entity.name, expected_entity.name);
    EXPECT_EQ(entity.biologists_in_charge, expected_entity.biologists_in_charge);
    EXPECT_EQ(entity.address, expected_entity.address);
    EXPECT_EQ(entity.oid, "1.2.250.1.99999.1");

    const auto* hospital = laboratory->site_by_finess("690000021");
    ASSERT_NE(hospital, nullptr);
    EXPECT_EQ(laboratory->legal_entity(hospital->legal_entity)->finess.text(), "690000002");
    EXPECT_EQ(hospital->settings, SiteSettings{});
    EXPECT_EQ(hospital->oid, "1.2.250.1.99999.102");
    EXPECT_EQ(laboratory->sites_of(entity.id).size(), 2U);

    const auto* link = laboratory->link("registration-nord");
    ASSERT_NE(link, nullptr);
    EXPECT_EQ(link->site, laboratory->site_by_finess("690000012")->id);
    EXPECT_EQ(link->legal_entity, entity.id);
    EXPECT_TRUE(link->identity_source && link->order_source);
    EXPECT_EQ(link->allowed_senders, (std::vector<Link::Sender>{{"ENREG", "690000001"}}));
    EXPECT_EQ(link->processing_id, "T");
    EXPECT_EQ(link->number_paths, Link{}.number_paths);
    EXPECT_EQ(laboratory->links_of("hopital").size(), 2U);
    EXPECT_EQ(laboratory->link("analyser-nord")->code_paths, (std::vector<std::string>{"OBX-3.1", "OBX-3.4", "OBX-4"}));

    const auto dpis = laboratory->partners_of(hospital->legal_entity, PartnerKind::dpi);
    ASSERT_EQ(dpis.size(), 1U);
    const auto dpi = delivery::dpi_partner(dpis[0]->definition);
    ASSERT_TRUE(dpi) << to_string(dpi.error());
    EXPECT_EQ(dpi->port, 12575);

    const auto mailboxes = laboratory->correspondents(entity.id, Rpps::parse("99900000041").value());
    ASSERT_EQ(mailboxes.size(), 1U);
    EXPECT_EQ(mailboxes[0]->mss_address, "anne.cardiologue@medecin-test.mssante.fr");
    EXPECT_EQ(mailboxes[0]->structure_name, "Cabinet de cardiologie Test");
    EXPECT_EQ(mailboxes[0]->professional.family, "CARDIOLOGUE");

    const auto* claire = laboratory->user("claire.biologiste");
    ASSERT_NE(claire, nullptr);
    EXPECT_TRUE(claire->may_validate(laboratory->site_by_finess("690000011")->id));
    EXPECT_FALSE(claire->may_validate(hospital->id));
    EXPECT_TRUE(verify_password(claire->password, "demonstration"));
    EXPECT_FALSE(laboratory->user("lea.technicienne")->may_validate(hospital->id));
}

TEST_F(PgLaboratory, LoadsEveryExaminationAsTheFileSaysIt) {
    apply_samples();
    const auto laboratory = load();
    const auto import = sample("catalogue.sample.csv");
    for (const auto& site : laboratory->sites()) {
        const auto& catalogue = laboratory->catalogue(site.id);
        ASSERT_EQ(catalogue.analytes().size(), import.analytes.size());
        for (const auto& entry : import.analytes) {
            const auto* stored = catalogue.by_code(entry.analyte.local_code);
            ASSERT_NE(stored, nullptr) << entry.analyte.local_code;
            const auto& said = entry.analyte;
            EXPECT_EQ(stored->loinc, said.loinc);
            EXPECT_EQ(stored->label, said.label);
            EXPECT_EQ(stored->loinc_label, said.loinc_label);
            EXPECT_EQ(stored->chapter, said.chapter);
            EXPECT_EQ(stored->kind, said.kind);
            EXPECT_EQ(stored->unit, said.unit);
            EXPECT_EQ(stored->decimals, said.decimals);
            EXPECT_EQ(stored->critical, said.critical);
            EXPECT_EQ(stored->panels, said.panels);
            EXPECT_EQ(stored->position, said.position);
            for (const auto sex : {Sex::female, Sex::male, Sex::unknown})
                EXPECT_EQ(choose_range(*stored, sex, 15000), choose_range(said, sex, 15000)) << said.local_code;
            ASSERT_EQ(stored->answers.size(), said.answers.size());
            for (std::size_t i = 0; i < said.answers.size(); ++i) {
                EXPECT_EQ(stored->answers[i].received, said.answers[i].received);
                EXPECT_EQ(stored->answers[i].coded, said.answers[i].coded);
                EXPECT_EQ(stored->answers[i].flag, said.answers[i].flag);
            }
        }
        EXPECT_EQ(catalogue.ordered("NFS").size(), 6U);
    }
}

TEST_F(PgLaboratory, TheSameFilesTwiceChangeNothing) {
    apply_samples();
    const auto changes = count("select count(*) from configuration_change");
    EXPECT_EQ(changes, 6);
    const auto loaded = load();
    for (const auto* name : samples) {
        const auto applied = apply_sample(name);
        EXPECT_EQ(applied.added + applied.changed + applied.retired, 0) << name;
        EXPECT_EQ(applied.change, 0) << name;
    }
    EXPECT_EQ(count("select count(*) from configuration_change"), changes);
    EXPECT_EQ(count("select count(*) from analyte"), 60);
    EXPECT_EQ(load()->user("claire.biologiste")->password, loaded->user("claire.biologiste")->password);
}

TEST_F(PgLaboratory, KeepsEachImportWithItsContentAndAuditsIt) {
    const auto applied = apply_sample("laboratory.sample.toml");
    EXPECT_EQ(applied.added, 5);
    EXPECT_GT(applied.change, 0);
    as_owner("grant select on audit_event to lab_app");  // in life only the auditor reads it
    EXPECT_EQ(count("select count(*) from configuration_change where kind = 'laboratory' and actor = 'cli:test' and"
                    " source_sha256 = sha256(convert_to(content, 'UTF8'))"),
              1);
    EXPECT_EQ(count("select count(*) from audit_event where action = 'import' and actor = 'cli:test' and "
                    "payload::jsonb->>'added' = '5'"),
              1);
    EXPECT_EQ(load()->change(), applied.change);
}

TEST_F(PgLaboratory, KeepsNoPasswordInTheHistory) {
    apply_sample("laboratory.sample.toml");
    apply_sample("users.sample.toml");
    EXPECT_EQ(count("select count(*) from configuration_change where content like '%\"demonstration\"%'"), 0);
    EXPECT_EQ(
        count("select count(*) from configuration_change where kind = 'users' and content like '%claire.biologiste%'"),
        1);
}

TEST_F(PgLaboratory, TellsRunningDaemons) {
    pg::Connection listener(executor());
    run(listener.connect(conninfo()));
    run(listener.execute(std::string("listen ").append(configuration_channel)));
    const auto applied = apply_sample("laboratory.sample.toml");
    EXPECT_EQ(run(listener.wait_notification()).payload, std::to_string(applied.change));
}

TEST_F(PgLaboratory, ChangesOnlyTheLinkThatDiffers) {
    apply_samples();
    const auto before = *load()->link("analyser-nord");
    const auto applied = apply(config::parse_import(with(file("links.sample.toml"), "name = \"analyser-nord\"",
                                                         "name = \"analyser-nord\"\nactive = false"))
                                   .value());
    ASSERT_TRUE(applied);
    EXPECT_EQ(applied->retired, 1);
    EXPECT_EQ(applied->added + applied->changed, 0);
    const auto laboratory = load();
    EXPECT_EQ(laboratory->link("analyser-nord")->id, before.id);
    EXPECT_TRUE(laboratory->links_of("nord").size() == 1U);
}

TEST_F(PgLaboratory, LaysWhatAPersonMapsOverTheImportedLink) {
    apply_samples();
    const auto before = load();
    const auto& link = *before->link("analyser-nord");
    ASSERT_TRUE(link.codes.empty());
    Mapping mapping;
    mapping.link = link.id;
    mapping.theirs = "Crea_2";
    mapping.ours = "CREA";
    mapping.unit = "mg/L";
    mapping.factor = Decimal::parse("8.84").value();
    const Deed deed{{link.site.value()}, "user:noe", "notice", Instant{std::chrono::hours{500001}}};
    const auto change = run(keep_mapping(pool_, deed, mapping));
    ASSERT_TRUE(change) << to_string(change.error());
    const Link::Code code{"Crea_2", "CREA", "mg/L", mapping.factor, ""};
    EXPECT_EQ(load()->link("analyser-nord")->codes, std::vector<Link::Code>{code});
    EXPECT_EQ(load()->change(), *change) << "running daemons notice";
    EXPECT_EQ(run(keep_mapping(pool_, deed, mapping)).value(), 0) << "said twice";
    auto other = mapping;
    other.ours = "UREE";
    EXPECT_EQ(run(keep_mapping(pool_, deed, other)).error().fault, Fault::conflict);
    const Deed elsewhere{{0}, "user:noe", "notice", deed.at};
    EXPECT_EQ(run(keep_mapping(pool_, elsewhere, other)).error().fault, Fault::missing);

    // An import that does not name it leaves it; one that does counts instead.
    auto text = with(file("links.sample.toml"), "name = \"analyser-nord\"",
                     "name = \"analyser-nord\"\npatient_authority = \"1.2.250.1.99999.201\"\ndecimal_comma = false");
    ASSERT_TRUE(apply(config::parse_import(text).value()));
    EXPECT_EQ(load()->link("analyser-nord")->codes, std::vector<Link::Code>{code});
    EXPECT_EQ(load()->link("analyser-nord")->patient_authority, "1.2.250.1.99999.201");
    text = with(text, "decimal_comma = false", "codes = [{ theirs = \"Crea_2\", ours = \"CREA\", unit = \"mg/L\", factor = \"8.8\" }]");
    ASSERT_TRUE(apply(config::parse_import(text).value()));
    EXPECT_EQ(load()->link("analyser-nord")->codes.front().factor->text(), "8.8");
    const std::vector<std::int32_t> sites{link.site.value()};
    const auto lines = run(mappings(pool_, sites));
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_FALSE(lines[0].counts);
    EXPECT_EQ(lines[0].mapping.made_by, "user:noe");
    EXPECT_EQ(lines[0].mapping.factor, mapping.factor);
    other.theirs = "Crea_2";
    EXPECT_EQ(run(keep_mapping(pool_, deed, other)).error().fault, Fault::conflict) << "the file says it: it is changed there";

    ASSERT_TRUE(run(end_mapping(pool_, deed, lines[0].mapping.id)));
    EXPECT_EQ(run(end_mapping(pool_, deed, lines[0].mapping.id)).error().fault, Fault::missing);
    EXPECT_TRUE(run(mappings(pool_, sites)).empty());
}

TEST_F(PgLaboratory, KeepsAMappingOfEachKind) {
    apply_samples();
    const auto before = load();
    const auto& link = *before->link("analyser-nord");
    const Deed deed{{link.site.value()}, "user:noe", "notice", Instant{std::chrono::hours{500001}}};
    for (const auto kind : {Mapping::Kind::unit, Mapping::Kind::value, Mapping::Kind::flag}) {
        Mapping mapping;
        mapping.link = link.id;
        mapping.kind = kind;
        mapping.theirs = "X";
        if (kind == Mapping::Kind::flag) {
            mapping.does = Link::Flag::Does::comment;
            mapping.text = "Tube ancien";
        } else {
            mapping.ours = "mmol/L";
        }
        ASSERT_TRUE(run(keep_mapping(pool_, deed, mapping)));
    }
    const auto laboratory = load();
    const auto& mapped = *laboratory->link("analyser-nord");
    EXPECT_EQ(mapped.units, (std::vector<Link::Word>{{"X", "mmol/L"}}));
    EXPECT_EQ(mapped.values, (std::vector<Link::Word>{{"X", "mmol/L"}}));
    EXPECT_EQ(mapped.flags, (std::vector<Link::Flag>{{"X", Link::Flag::Does::comment, "Tube ancien"}}));
}

TEST_F(PgLaboratory, GivesAChangedExaminationANewVersionAndKeepsTheOld) {
    apply_samples();
    const auto site = load()->site_by_finess("690000011")->id;
    const auto old = load()->catalogue(site).by_code("CRP")->id;
    const auto potassium = load()->catalogue(site).by_code("K")->id;
    const Instant later{std::chrono::hours{500001}};
    const auto applied =
        apply(config::parse_import(with(file("catalogue.sample.csv"), ";..5.0;", ";..6.0;")).value(), later);
    ASSERT_TRUE(applied);
    EXPECT_EQ(applied->changed, 3) << "one for each site";
    EXPECT_EQ(applied->added, 0);
    const auto laboratory = load();
    EXPECT_NE(laboratory->catalogue(site).by_code("CRP")->id, old);
    EXPECT_EQ(laboratory->catalogue(site).by_code("CRP")->ranges.at(0).range.high->text(), "6.0");
    EXPECT_EQ(laboratory->catalogue(site).by_code("K")->id, potassium);
    const auto ended = count(
        "select count(*) from analyte where local_code = 'CRP' and valid_to is not null and "
        "definition->'ranges'->0->>'high' = '5.0'");
    EXPECT_EQ(ended, 3);
}

TEST_F(PgLaboratory, RetiresAnExamination) {
    apply_samples();
    const auto applied =
        apply(config::parse_import(with(file("catalogue.sample.csv"), "macroscopique;;;;yes", "macroscopique;;;;no"))
                  .value());
    ASSERT_TRUE(applied);
    EXPECT_EQ(applied->retired, 3);
    EXPECT_EQ(load()->catalogue(load()->sites()[0].id).by_code("ASPU"), nullptr);
}

TEST_F(PgLaboratory, EndsARoleThatTheFileDoesNotGiveAnyMoreAndGivesItBack) {
    apply_samples();
    const auto nord = load()->site_by_finess("690000012")->id;
    const auto less = with(file("users.sample.toml"), "[\"690000011\", \"690000012\"]", "[\"690000011\"]");
    EXPECT_EQ(apply(config::parse_import(less).value())->retired, 1);
    EXPECT_FALSE(load()->user("claire.biologiste")->may_validate(nord));
    EXPECT_EQ(apply_sample("users.sample.toml").added, 1);
    EXPECT_TRUE(load()->user("claire.biologiste")->may_validate(nord));
}

TEST_F(PgLaboratory, HashesANewDemonstrationPassword) {
    apply_samples();
    const auto changed = with(file("users.sample.toml"), "\"demonstration\"", "\"another one\"");
    EXPECT_EQ(apply(config::parse_import(changed).value())->changed, 1);
    EXPECT_TRUE(verify_password(load()->user("claire.biologiste")->password, "another one"));
}

TEST_F(PgLaboratory, RefusesDemonstrationPasswordsInProduction) {
    apply_sample("laboratory.sample.toml");
    as_owner(
        "insert into instance (instance_uuid, label, environment, created_at) values (gen_random_uuid(), 'x', "
        "'production', now())");
    const auto applied = apply(sample("users.sample.toml"));
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().fault, Fault::refused);
    EXPECT_TRUE(load()->users().empty());
}

TEST_F(PgLaboratory, RefusesAFinessThatIsNotKnownAndWritesNothing) {
    for (const auto* name : {"links.sample.toml", "partners.sample.toml", "correspondents.sample.csv",
                             "users.sample.toml", "catalogue.sample.csv"}) {
        const auto applied = apply(sample(name));
        ASSERT_FALSE(applied) << name;
        EXPECT_EQ(applied.error().fault, Fault::missing) << name;
    }
    EXPECT_EQ(count("select (select count(*) from link) + (select count(*) from app_user) + (select count(*) from "
                    "configuration_change)"),
              0);
}

TEST_F(PgLaboratory, AppliesAllFilesOfAnImportOrNone) {
    auto strangers = sample("links.sample.toml");
    strangers.links.back().site = Finess::parse("750000001").value();
    const auto refused = apply_all({{"laboratory.toml", sample("laboratory.sample.toml")}, {"links.toml", strangers}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::missing);
    EXPECT_TRUE(refused.error().where.starts_with("links.toml, ")) << refused.error().where;
    EXPECT_EQ(count("select (select count(*) from site) + (select count(*) from configuration_change)"), 0);

    const auto applied = apply_all({{"", sample("laboratory.sample.toml")}, {"", sample("links.sample.toml")}});
    ASSERT_TRUE(applied);
    EXPECT_EQ(applied->size(), 2U);
    EXPECT_EQ(load()->change(), applied->at(1).change);
}

TEST_F(PgLaboratory, RefusesASiteThatWouldChangeItsLegalEntity) {
    apply_sample("laboratory.sample.toml");
    auto import = sample("laboratory.sample.toml");
    import.sites[0].legal_entity = import.legal_entities[1].finess;
    const auto applied = apply(std::move(import));
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().fault, Fault::conflict);
    EXPECT_EQ(applied.error().where, "site 690000011");
}

}  // namespace sgl::store
