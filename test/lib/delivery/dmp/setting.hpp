// What the tests of the DMP channel stand on: throw-away certificates, the strict DMP as a process, real documents.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.hpp"
#include "lib/delivery/channel.hpp"
#include "lib/delivery/partners.hpp"
#include "lib/domain/report.hpp"

namespace sgl::test {

/// A folder that goes with the process, and certificates in it made by test/partners/pki.py.
const std::filesystem::path& scratch();
const std::filesystem::path& certificates();

/// Exit status and output of a shell command.
struct Ran {
    int status{};
    std::string output;
};
Ran run_command(const std::string& command);

std::string bytes_of(const std::filesystem::path& file);
void write_file(const std::filesystem::path& file, std::string_view bytes);

/// The partner of legal entity 690000001, whose service is at `url`.
delivery::DmpPartner dmp_partner_at(std::string url);

/// The sample report of the site 690000011, its documents composed for good, and a letter of it.
struct Case {
    domain::Report report;
    delivery::Documents documents;
    delivery::Letter letter;
};
/// `number` gives each case its own report and letter. `change` is made to the report before its documents.
Case make_case(unsigned number, Instant sent_at, const std::function<void(domain::Report&)>& change = {});

/// test/partners/dmp.py, started; ended with the object.
class StrictDmp {
public:
    StrictDmp();
    StrictDmp(const StrictDmp&) = delete;
    StrictDmp& operator=(const StrictDmp&) = delete;
    ~StrictDmp();

    const std::string& url() const { return url_; }
    /// The coming exchanges, as `{"do": …}` steps of dmp.py; replaces the former ones.
    void script(const std::string& json);
    void configure(const std::string& json);
    /// Somebody else gives a document that status (`archived`…), and with it another entryUUID.
    void set_status(const std::string& unique_id, const std::string& status);

    struct State {
        int queries{};
        int accepted{};
        int requests{};
        int updates{};
        std::vector<std::string> documents;           ///< uniqueIds held, signatures left out
        std::map<std::string, std::string> statuses;  ///< of each, the last word of its URN: `Approved`, `Deleted`
        bool schemas{};
    };
    State state() const;
    /// Why the last refused request was refused; empty when none was.
    std::string last_refusal() const;

private:
    std::string control(const std::string& command, const std::optional<std::string>& body) const;

    std::filesystem::path out_;
    int pid_{-1};
    int control_port_{};
    std::string url_;
};

}  // namespace sgl::test
