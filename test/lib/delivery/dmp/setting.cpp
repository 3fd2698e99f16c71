#include "test/lib/delivery/dmp/setting.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

#include "cda/write.hpp"
#include "lib/compose/cr_bio.hpp"
#include "lib/compose/pdf.hpp"
#include "test/lib/compose/sample_report.hpp"

namespace sgl::test {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

struct Scratch {
    Scratch() : path(fs::temp_directory_path() / ("sgl-dmp-" + std::to_string(::getpid()))) {
        fs::create_directories(path);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() {
        std::error_code ignored;
        if (std::getenv("SGL_KEEP") == nullptr) fs::remove_all(path, ignored);
    }
    fs::path path;
};

}  // namespace

const fs::path& scratch() {
    static const Scratch folder;
    return folder.path;
}

std::string bytes_of(const fs::path& file) {
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

void write_file(const fs::path& file, std::string_view bytes) {
    std::ofstream out{file, std::ios::binary};
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

Ran run_command(const std::string& command) {
    const auto log = scratch() / "output.txt";
    const int status = std::system(("(" + command + ") >" + log.string() + " 2>&1").c_str());
    return {status, bytes_of(log)};
}

const fs::path& certificates() {
    static const fs::path folder = [] {
        auto made = scratch() / "pki";
        if (const auto ran = run_command("test/partners/pki.py " + made.string()); ran.status != 0) {
            throw std::runtime_error("pki.py: " + ran.output);
        }
        return made;
    }();
    return folder;
}

delivery::DmpPartner dmp_partner_at(std::string url) {
    const auto file = [](const char* name) { return (certificates() / name).string(); };
    delivery::DmpPartner partner;
    partner.url = std::move(url);
    partner.ca = file("ca.pem");
    partner.tls_certificate = file("lab1_auth_cli-chain.pem");
    partner.tls_key = file("lab1_auth_cli.key");
    partner.sign_certificate = file("lab1_sign-chain.pem");
    partner.sign_key = file("lab1_sign.key");
    partner.structure_id = "1690000001";
    partner.source_oid = "1.2.250.1.99999.1.1";
    partner.homologation = "HOMOLOGATION-TEST";
    return partner;
}

Case make_case(unsigned number, Instant sent_at, const std::function<void(domain::Report&)>& change) {
    static auto renderer =
        compose::PdfRenderer::open("/usr/share/fonts/truetype/dejavu", bytes_of("/usr/share/color/icc/sRGB.icc"))
            .value();
    static const Uuid space = Uuid::parse("018e4b5e-7a10-7c3f-9d21-5a6b7c8d9e0f").value();
    Case made;
    auto& report = made.report = sample_short_report();
    report.ids = domain::identify(domain::ReportSetId{Uuid::v5(space, "report " + std::to_string(number))}, 1);
    report.entity.finess = domain::Finess::parse("690000001").value();
    report.entity.name = "LABORATOIRE DES ALPES TEST";
    report.site.finess = domain::Finess::parse("690000011").value();
    if (change) change(report);
    made.documents.pdf = renderer.render(report).value().bytes;
    made.documents.n3 = cda::write(compose::cr_bio(report, made.documents.pdf).value()).value();
    auto& letter = made.letter;
    letter.id = domain::LetterId{Uuid::v5(space, "letter " + std::to_string(number))};
    letter.channel = domain::Channel::dmp;
    letter.act = domain::Act::deliver;
    letter.sent_at = sent_at;
    return made;
}

// ------------------------------------------------------------------------------------------------------------ the DMP

StrictDmp::StrictDmp() {
    static int count = 0;
    certificates();
    out_ = scratch() / ("dmp-" + std::to_string(++count));
    fs::create_directories(out_);
    const auto ready = out_ / "ready.json";
    const auto log = out_ / "log.txt";
    const auto out = out_.string();
    const auto pki = certificates().string();
    pid_ = ::fork();
    if (pid_ == 0) {
        const int file = ::open(log.c_str(), O_CREAT | O_WRONLY, 0600);
        ::dup2(file, 1);
        ::dup2(file, 2);
        ::execl("test/partners/dmp.py", "dmp.py", "--pki", pki.c_str(), "--out", out.c_str(), "--ready", ready.c_str(),
                nullptr);
        ::_exit(127);
    }
    for (int i = 0; i < 1200 && !fs::exists(ready); ++i) {
        int status = 0;
        if (::waitpid(pid_, &status, WNOHANG) == pid_) {
            pid_ = -1;
            break;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{50});
    }
    if (!fs::exists(ready)) throw std::runtime_error("dmp.py did not start: " + bytes_of(log));
    const auto told = json::parse(bytes_of(ready));
    control_port_ = static_cast<int>(told.at("control_port").to_number<std::int64_t>());
    url_ = std::string(told.at("base").as_string());
}

StrictDmp::~StrictDmp() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    int status = 0;
    ::waitpid(pid_, &status, 0);
}

std::string StrictDmp::control(const std::string& command, const std::optional<std::string>& body) const {
    std::string line = "curl -sS --noproxy '*' --max-time 20 ";
    if (body) {
        write_file(out_ / "control.json", *body);
        line += "--data-binary @" + (out_ / "control.json").string() + " ";
    }
    const auto ran = run_command(line + "http://127.0.0.1:" + std::to_string(control_port_) + "/" + command);
    if (ran.status != 0) throw std::runtime_error("control of dmp.py: " + ran.output);
    return ran.output;
}

void StrictDmp::script(const std::string& steps) {
    control("script", steps);
}
void StrictDmp::configure(const std::string& config) {
    control("config", config);
}

void StrictDmp::set_status(const std::string& unique_id, const std::string& status) {
    control("status", R"({"uniqueId": ")" + unique_id + R"(", "status": ")" + status + "\"}");
}

StrictDmp::State StrictDmp::state() const {
    const auto told = json::parse(control("state", std::nullopt));
    const auto& counts = told.at("counts");
    const auto number = [&](const char* name) { return static_cast<int>(counts.at(name).to_number<std::int64_t>()); };
    State state;
    state.queries = number("queries");
    state.accepted = number("accepted");
    state.requests = number("requests");
    state.updates = number("updates");
    state.schemas = told.at("schemas").as_bool();
    for (const auto& entry : told.at("entries").as_array()) {
        if (entry.at("kind").as_string() != "document") continue;
        const auto& id = state.documents.emplace_back(entry.at("uniqueId").as_string());
        const std::string status(entry.at("status").as_string());
        state.statuses[id] = status.substr(status.rfind(':') + 1);
    }
    return state;
}

std::string StrictDmp::last_refusal() const {
    std::vector<fs::path> reasons;
    for (const auto& file : fs::directory_iterator(out_ / "dmp")) {
        if (file.path().string().ends_with("-refused.txt")) reasons.push_back(file.path());
    }
    std::ranges::sort(reasons);
    return reasons.empty() ? std::string() : bytes_of(reasons.back());
}

}  // namespace sgl::test
