#include <CLI/CLI.hpp>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "daemon/cda_commands.hpp"
#include "daemon/operator_commands.hpp"
#include "daemon/privileges.hpp"
#include "daemon/rule_commands.hpp"
#include "daemon/service.hpp"
#include "daemon/work_commands.hpp"
#include "hl7/dump.hpp"
#include "lib/base/failpoint.hpp"
#include "lib/base/log.hpp"
#include "lib/store/pg/migrate.hpp"

namespace {

using namespace sgl;  // main composes everything

std::string config_file = "/etc/sgld/sgld.toml";

Result<config::Settings> read_settings() {
    std::ifstream file(config_file, std::ios::binary);
    if (!file) return Error{Fault::missing, config_file, "the configuration can't be read"};
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    auto settings = config::parse_settings(bytes);
    if (!settings)
        return Error{settings.error().fault, config_file + ", " + settings.error().where, settings.error().what};
    return settings;
}

log::Level level_of(const std::string& word) {
    if (word == "debug") return log::Level::debug;
    if (word == "warn") return log::Level::warn;
    if (word == "error") return log::Level::error;
    return log::Level::info;
}

/// Settings read, privileges dropped, log open: then the command.
template <class Command>
int run_with_settings(bool service, Command command) {
    const auto settings = read_settings();
    if (!settings) {
        std::cerr << "sgld: " << to_string(settings.error()) << '\n';
        return 1;
    }
    if (const auto became = daemon::become(settings->daemon.user, service ? settings->daemon.state_dir : ""); !became) {
        std::cerr << "sgld: " << to_string(became.error()) << '\n';
        return 1;
    }
    daemon::harden();
    try {
        // A command speaks on the terminal; only what goes wrong is logged there.
        log::open(service ? settings->log.file : "", service ? level_of(settings->log.level) : log::Level::error,
                  settings->log.format == "json");
        return command(*settings);
    } catch (const std::exception& error) {
        std::cerr << "sgld: " << error.what() << '\n';
        return 1;
    }
}

int dump_files(const std::vector<std::string>& names) {
    int code = 0;
    for (const auto& name : names) {
        std::string bytes;
        if (name == "-") {
            bytes.assign(std::istreambuf_iterator<char>(std::cin), {});
        } else {
            std::ifstream file(name, std::ios::binary);
            bytes.assign(std::istreambuf_iterator<char>(file), {});
            if (!file) {
                std::cerr << "sgld: " << name << ": can't be read\n";
                code = 1;
                continue;
            }
        }
        std::cout << hl7::dump(bytes, std::filesystem::path(name).filename().string());
    }
    std::cout.flush();
    return std::cout ? code : 1;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{
        "sgld: the server daemon of a laboratory information system.\n"
        "Takes results and orders by HL7 v2, lets a biologist validate them, builds the CR-BIO with its PDF, and sends "
        "it to\n"
        "the DMP, to correspondents and the patient by MSSante, and to hospital records."};
    app.require_subcommand(0, 1);
    app.add_option("-c,--config", config_file, "Configuration of the process")->capture_default_str();
    bool help_config = false;
    app.add_flag("--help-config", help_config, "Print every configuration key with its unit, default and reason");
    int code = 0;

    auto* run = app.add_subcommand(
        "run", "Run the daemon in the foreground until SIGTERM. As root it becomes the configured user first.");
    run->callback([&] { code = run_with_settings(true, [](const auto& s) { return daemon::run_service(s); }); });

    bool print_bootstrap = false;
    auto* migrate = app.add_subcommand(
        "migrate", "Bring the database to the schema of this version (the daemon does it too when it starts).");
    migrate->add_flag("--print-bootstrap", print_bootstrap,
                      "Print the SQL that makes roles and database on a server of your own, for psql as superuser");
    migrate->callback([&] {
        if (print_bootstrap)
            std::cout << pg::bootstrap_script();
        else
            code = run_with_settings(false, [](const auto& s) { return daemon::migrate(s); });
    });

    std::vector<std::string> files;
    auto* import = app.add_subcommand(
        "import",
        "Seed or update the laboratory: sites, links, partners, correspondents, users, catalogue.\n"
        "Each file is recognised by its content; config/*.sample.* document them. All files are checked\n"
        "before the first is applied; importing a file twice changes nothing. No restart is needed.");
    import->add_option("FILE", files, "TOML or CSV files")->required();
    import->callback([&] {
        std::vector<daemon::InputFile> inputs;
        for (const auto& name : files) {
            std::ifstream file(name, std::ios::binary);
            if (!file) {
                std::cerr << "sgld: " << name << ": can't be read\n";
                code = 1;
                return;
            }
            inputs.push_back({name, {std::istreambuf_iterator<char>(file), {}}});
        }
        code = run_with_settings(false, [&](const auto& s) { return daemon::import_files(s, inputs); });
    });

    auto* check = app.add_subcommand("check-config",
                                     "Check the configuration and say the first thing that is wrong, with its line.");
    check->callback([&] {
        const auto settings = read_settings();
        const auto allowed = settings ? daemon::check_listeners(*settings) : Result<void>(settings.error());
        if (allowed) {
            std::cout << config_file << ": ok\n";
        } else {
            std::cerr << "sgld: " << to_string(allowed.error()) << '\n';
            code = 1;
        }
    });

    bool as_json = false;
    auto* status = app.add_subcommand("status", "Instance, schema, orders, letters and work to do, in figures.");
    status->add_flag("--json", as_json, "As JSON");
    status->callback(
        [&] { code = run_with_settings(false, [&](const auto& s) { return daemon::status(s, as_json); }); });

    daemon::SigningCommand signing;
    auto* validate = app.add_subcommand(
        "validate", "Validate an order as a demonstration biologist. Refused in production and with an identity provider.");
    validate->add_option("--comment", signing.comment, "Contextual interpretation, printed on the report");
    validate->add_option("--reason", signing.reason,
                         "Why a report that has left is replaced: needed then, unless it only completes a partial one");
    validate->add_flag("--partial", signing.partial, "Sign what is there as a partial report, though results are missing");
    auto* withdraw =
        app.add_subcommand("withdraw", "Take back the report of an order as a demonstration biologist. Refused as validate is.");
    withdraw->add_option("--reason", signing.reason, "Why")->required();
    for (auto* act : {validate, withdraw}) {
        act->add_option("ORDER", signing.order, "Order number")->required();
        act->add_option("--login", signing.login, "Demonstration account")->required();
        act->callback([&, act] {
            signing.withdraw = act == withdraw;
            code = run_with_settings(false, [&](const auto& s) { return daemon::validate(s, signing); });
        });
    }

    daemon::LetterCommand letter;
    auto* letters = app.add_subcommand(
        "letters", "Letters: one report version, one channel, one recipient. No patient data is shown.");
    letters->require_subcommand(1);
    const auto act = [&](const std::string& verb, const std::string& help, bool needs_id, bool needs_why) {
        auto* sub = letters->add_subcommand(verb, help);
        if (needs_id) sub->add_option("ID", letter.id, "Identifier, as `letters list` prints it")->required();
        if (needs_why)
            sub->add_option("--why", letter.why, "Reason, kept in the letter's history with your name")->required();
        if (verb == "list") {
            sub->add_flag("--json", letter.json, "As JSON");
            sub->add_option("--state", letter.state, "Only letters in that state (due, retry, blocked, dead…)");
        }
        sub->callback([&, verb] {
            letter.verb = verb;
            code = run_with_settings(false, [&](const auto& s) { return daemon::letters(s, letter); });
        });
    };
    act("list", "Letters with state, reason and last error", false, false);
    act("show", "History of one letter", true, false);
    act("retry", "Try a letter again at once (also one that was given up)", true, false);
    act("hold", "Keep a letter from leaving", true, true);
    act("abandon", "Give a letter up for good", true, true);

    daemon::IdentityCommand person;
    auto* identity = app.add_subcommand(
        "identity", "Identities: merges, splits, changes of INS, and what left under the wrong one. No patient data is shown.");
    identity->require_subcommand(1);
    const auto identity_verb = [&](const std::string& verb, const std::string& help) {
        auto* sub = identity->add_subcommand(verb, help);
        sub->callback([&, verb] {
            person.verb = verb;
            code = run_with_settings(false, [&](const auto& s) { return daemon::identity(s, person); });
        });
        return sub;
    };
    auto* documents = identity_verb("documents", "Documents that left, or may have left, under a wrong identity");
    documents->add_option("--change", person.change, "Only of that change, also once it is closed");
    documents->add_flag("--json", person.json, "As JSON");
    identity_verb("changes", "Merges, splits and changes of INS, newest first")
        ->add_flag("--json", person.json, "As JSON");
    auto* split = identity_verb("split", "Undo a merge: the patients are two again, each with his orders");
    split->add_option("CHANGE", person.change, "Number, as `identity changes` prints it")->required();
    split->add_option("--why", person.why, "Reason, kept in the audit with your name")->required();
    auto* close = identity_verb("close", "The documents of a change were dealt with");
    close->add_option("CHANGE", person.change, "Number, as `identity changes` prints it")->required();
    close->add_option("--why", person.why, "What was done, kept in the audit with your name")->required();
    auto* status_of = identity_verb("status", "Give a patient's identity a status; refused on an identity slave");
    status_of->add_option("PATIENT", person.patient, "Identifier, as `identity changes` prints it")->required();
    status_of->add_option("STATUS", person.status, "PROV, RECUP, VALI or QUAL")->required();
    status_of->add_option("--why", person.why, "Reason, kept in the audit with your name")->required();

    daemon::WorkCommand todo;
    auto* work = app.add_subcommand("work",
                                    "What waits because a message could not be understood wholly. Map what an analyser "
                                    "says, and what it\nsaid is read again, as if the mapping had been there. No patient "
                                    "data is shown.");
    work->require_subcommand(1);
    const auto work_verb = [&](const std::string& verb, const std::string& help) {
        auto* sub = work->add_subcommand(verb, help);
        sub->callback([&, verb] {
            todo.verb = verb;
            code = run_with_settings(false, [&](const auto& s) { return daemon::work(s, todo); });
        });
        sub->add_flag("--json", todo.json, "As JSON");
        return sub;
    };
    work_verb("list", "What waits, by link and word: the largest group first")
        ->add_option("--link", todo.link, "Only of that link");
    work_verb("show", "One item with its message, without what names the patient")
        ->add_option("ITEM", todo.id, "Number, as `work list` prints it")
        ->required();
    auto* map = work_verb("map", "Say what a code, unit, value or flag of a link means, and read again what waits for it");
    map->add_option("LINK", todo.link, "Name of the link")->required();
    map->add_option("KIND", todo.kind, "code, unit, value or flag")->required();
    map->add_option("THEIRS", todo.theirs, "As the sender writes it; capitals count")->required();
    map->add_option("OURS", todo.ours,
                    "Local code of the catalogue; unit in UCUM; text; for a flag ignore, comment, block or hide")
        ->required();
    map->add_option("--unit", todo.unit, "Of a code: the unit of its values, where OBX-6 says none or with --factor");
    map->add_option("--factor", todo.factor, "Of a code: a value in --unit times it is one in the unit of the catalogue");
    map->add_option("--text", todo.text, "Of a flag that comments: the comment, in French");
    map->add_option("--why", todo.why, "Reason, kept in the audit with your name");
    map->add_flag("--expect", todo.only_expect, "Only say what it would change");
    auto* again = work_verb("replay", "Read messages again with today's settings; what went its way stays");
    again->add_option("ITEM", todo.id, "The message of this item, and those that wait for the same order");
    again->add_option("--message", todo.message, "This message");
    again->add_option("--link", todo.link, "All that waits of this link");
    again->add_flag("--all", todo.all, "All that waits");
    again->add_option("--why", todo.why, "Reason, kept in the audit with your name");
    auto* assign = work_verb("assign", "Say to which order or tube the results of an item belong; the identity is checked");
    assign->add_option("ITEM", todo.id, "Number, as `work list` prints it")->required();
    assign->add_option("NUMBER", todo.number, "Number of the tube or of the order")->required();
    assign->add_option("--why", todo.why, "Reason, kept in the audit with your name")->required();
    auto* dismiss = work_verb("dismiss", "End an item without mending it");
    dismiss->add_option("ITEM", todo.id, "Number, as `work list` prints it")->required();
    dismiss->add_option("--why", todo.why, "Reason, kept in the audit with your name")->required();
    work_verb("mappings", "What people said of links, beside their imported files");
    auto* forget = work_verb("forget", "End a mapping: what comes from now on is read without it");
    forget->add_option("MAPPING", todo.id, "Number, as `work mappings` prints it")->required();
    forget->add_option("--why", todo.why, "Reason, kept in the audit with your name")->required();

    daemon::RulesCommand ruling;
    std::string rules_file;
    auto* rules = app.add_subcommand(
        "rules", "Rules that help biologists to validate: they propose, a biologist signs. config/rules.sample.toml documents\n"
                 "them. A set is in force on the sites of the biologist who approves it.");
    rules->require_subcommand(1);
    const auto rules_verb = [&](const std::string& verb, const std::string& help, bool needs_file) {
        auto* sub = rules->add_subcommand(verb, help);
        if (needs_file) sub->add_option("FILE", rules_file, "TOML file of rules and their tests")->required();
        sub->callback([&, verb, needs_file] {
            ruling.verb = verb;
            if (needs_file) {
                std::ifstream file(rules_file, std::ios::binary);
                if (!file) {
                    std::cerr << "sgld: " << rules_file << ": can't be read\n";
                    code = 1;
                    return;
                }
                ruling.file = {rules_file, {std::istreambuf_iterator<char>(file), {}}};
            }
            code = verb == "check" ? daemon::check_rules(ruling.file)
                                   : run_with_settings(false, [&](const auto& s) { return daemon::rules(s, ruling); });
        });
        return sub;
    };
    rules_verb("check", "Say what is wrong with a file, and run the tests that it brings", true);
    rules_verb("import", "Keep a file as a new rule set; refused when its own tests fail", true);
    auto* simulate = rules_verb("simulate", "What a file would have said of published reports, beside the set in force. Nothing is written", true);
    simulate->add_option("--from", ruling.from, "First day of validation, 2026-11-01")->required();
    simulate->add_option("--to", ruling.to, "Last day")->required();
    simulate->add_flag("--json", ruling.json, "As JSON");
    auto* approve = rules_verb("approve", "Put a set in force as a demonstration biologist. Refused in production and with an identity provider", false);
    approve->add_option("NUMBER", ruling.number, "Number, as `rules list` prints it")->required();
    approve->add_option("--login", ruling.login, "Demonstration account")->required();
    rules_verb("list", "Sets, who approved them for which sites, and from when", false)->add_flag("--json", ruling.json, "As JSON");

    bool recount = false;
    auto* account = app.add_subcommand("account", "Reports and letters per site and month of validation.");
    account->add_flag("--json", as_json, "As JSON");
    account->add_flag("--recount", recount, "Also recount from the letters' events; exit 1 when the figures differ");
    account->callback(
        [&] { code = run_with_settings(false, [&](const auto& s) { return daemon::account(s, as_json, recount); }); });

    std::string folder;
    auto* export_command = app.add_subcommand("export", "Write the published documents and the account as files.");
    export_command
        ->add_option("--out", folder, "Folder; made when it is not there. It must be writable for the daemon's user")
        ->required();
    export_command->callback(
        [&] { code = run_with_settings(false, [&](const auto& s) { return daemon::export_documents(s, folder); }); });

    auto* audit = app.add_subcommand("audit", "Verify the audit chain; exit 1 when it is broken.");
    audit->callback([&] { code = run_with_settings(false, [](const auto& s) { return daemon::audit(s); }); });

    auto* hl7 = app.add_subcommand("hl7", "Looking at HL7 v2 messages; no configuration is needed.");
    hl7->require_subcommand(1);
    auto* hl7_dump = hl7->add_subcommand(
        "dump",
        "Print everything that stands in files of HL7 v2 (ER7, MLLP captures, batches) as JSON, one document per file:\n"
        "segments, fields and their parts raw, decoded texts where they differ, batch envelope, anomalies. It shows\n"
        "what is in them, patients' names too.");
    hl7_dump->add_option("FILE", files, "Files; - is standard input")->required();
    hl7_dump->callback([&] { code = dump_files(files); });

    auto* cda = app.add_subcommand("cda", "Looking at CDA documents; no configuration is needed.");
    cda->require_subcommand(1);
    auto* cda_read = cda->add_subcommand(
        "read",
        "Print the header, the result table and all else of a CR-BIO as JSON, one document a line: any version (2021.01,\n"
        "2023.01, 2024.01), level 3 or 1, alone, in a style sheet or in a signature (which is not verified). Of files inside\n"
        "it prints size and SHA-256. It shows what is in it, patients' names too.");
    cda_read->add_option("FILE", files, "Files; - is standard input")->required();
    cda_read->callback([&] { code = daemon::read_documents(files); });

    daemon::CheckCommand check_command;
    auto* check_documents = app.add_subcommand(
        "check",
        "Check CDA documents, or those of XDM archives (zip), by our ring 2: the standard's rules, for any CR-BIO (2021.01,\n"
        "2023.01, 2024.01, level 3 or 1, alone, in a style sheet or in a signature, which is not verified). No configuration is\n"
        "needed. Ring 3 adds the official rules of CR-BIO, IHE, ModelesDeContenusCDA and Modeles_ANS, from the kit that the ANS\n"
        "publishes (testContenuCDA), and says which official rules it did not run. Exit 0 when all are accepted, 1 when one is\n"
        "rejected, 2 for wrong usage.");
    check_documents->add_option("FILE", check_command.names, "Files; - is standard input")->required();
    check_documents->add_flag("--ours", check_command.ours, "Also our own closed profile: what this program composes, nothing else");
    check_documents->add_flag("--production", check_command.production, "Test identities are errors");
    check_documents->add_flag("--json", check_command.json, "As JSON, one document a line");
    check_documents->add_option("--ring", check_command.ring, "2, or 3: the official kit too")
        ->check(CLI::Range(2, 3))
        ->capture_default_str();
    check_documents->add_option("--kit", check_command.kit,
                                "Folder of the official kit (schematrons, jeuxDeValeurs); else [cda] official_kit of the configuration");
    check_documents->add_option("--kit-defects", check_command.kit_defects, "Known defects of the kit, as config/official_kit.toml");
    check_documents->callback([&] {
        if (check_command.ring == 3 && check_command.kit.empty()) {
            const auto settings = read_settings();
            if (!settings || settings->cda.official_kit.empty()) {
                std::cerr << "sgld: ring 3 needs the official kit: --kit FOLDER, or [cda] official_kit in the configuration\n";
                code = 2;
                return;
            }
            check_command.kit = settings->cda.official_kit;
            if (check_command.kit_defects.empty()) check_command.kit_defects = settings->cda.official_kit_defects;
        }
        code = daemon::check_documents(check_command);
    });

    bool failpoints = false;
    auto* version = app.add_subcommand("version", "Version of the program.");
    version->add_flag("--failpoints", failpoints, "Also the names that SGLD_FAILPOINT accepts, for tests of crashes");
    version->callback([&] {
        std::cout << "sgld " << SGL_VERSION << '\n';
        if (failpoints) std::cout << failpoint_names() << '\n';
    });

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int shown = app.exit(error);
        return shown == 0 ? 0 : 2;
    }
    if (help_config) {
        std::cout << config::help();
        return 0;
    }
    if (app.get_subcommands().empty()) {
        std::cerr << app.help();
        return 2;
    }
    return code;
}
