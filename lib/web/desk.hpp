// The desk: orders that a secretary types or corrects, patients with their orders, and what left under a wrong identity;
// the commands behind the pages, and the pages.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "lib/domain/desk.hpp"
#include "lib/domain/laboratory.hpp"
#include "lib/store/desk_orders.hpp"
#include "lib/store/patient_files.hpp"

namespace sgl::web {

namespace asio = boost::asio;

struct Frame;
struct Notice;

/// What a screen of the desk offers on a site.
struct DeskChoices {
    domain::LaboratoryPtr laboratory;             ///< holds the catalogue
    const domain::Catalogue* catalogue{nullptr};  ///< never null
    std::vector<domain::Professional> people;     ///< whom one may choose as prescriber or correspondent
    bool identity_slave{};                        ///< patients come from the hospital's identity server alone
};

/// What became of a screen.
struct DeskTaken {
    std::optional<domain::OrderId> order;  ///< none: nothing was written
    std::string number;                    ///< of that order; empty: it was done before
    bool joined{};                         ///< added to an order that has the same tube
    std::vector<domain::FieldError> errors;
    std::vector<domain::Patient> namesakes;  ///< of the new patient
};

/// As Commands: implemented by the daemon over lib/flow, a fake in tests; rights are checked here and there.
class DeskCommands {
public:
    DeskCommands() = default;
    DeskCommands(const DeskCommands&) = delete;
    DeskCommands& operator=(const DeskCommands&) = delete;
    virtual ~DeskCommands() = default;

    virtual asio::awaitable<Result<DeskChoices>> desk_choices(store::User user, domain::SiteId site) = 0;
    /// All or nothing, once for each token.
    virtual asio::awaitable<Result<DeskTaken>> register_order(store::User user, domain::SiteId site,
                                                              domain::DeskForm form, std::string token) = 0;
    virtual asio::awaitable<Result<store::DeskOrder>> desk_order(store::User user, domain::OrderId order) = 0;
    /// Fault::conflict: the screen of that version is stale.
    virtual asio::awaitable<Result<DeskTaken>> correct_order(store::User user, domain::OrderId order, int row_version,
                                                             domain::DeskForm form, std::string token) = 0;
    /// The documents of that change were dealt with. Refused unless he may sign.
    virtual asio::awaitable<Result<void>> close_identity_change(store::User user, std::int64_t change,
                                                                std::string why) = 0;
};

/// What a person typed to find somebody.
struct TypedSearch {
    std::string number;
    std::string name;
    std::string given;
    std::string birth_date;
};
struct PatientsScreen {
    TypedSearch typed;
    std::optional<store::PatientHits> hits;  ///< none: nothing was asked yet
    std::string problem;                     ///< why the search was not made
    bool may_order{};
};
std::string patients_page(const Frame& frame, const PatientsScreen& screen, const std::optional<Notice>& notice);

struct PatientScreen {
    store::PatientFile file;
    bool may_order{};
};
std::string patient_page(const Frame& frame, const PatientScreen& screen, const std::optional<Notice>& notice);

/// A new order, or the correction of `known`.
struct DeskScreen {
    domain::DeskForm form;
    std::string token;
    domain::SiteId site;
    std::vector<domain::SiteId> sites;        ///< among which one may choose
    std::optional<domain::Patient> patient;   ///< none: a new one, by his traits
    std::optional<store::DeskOrder> known;    ///< that is corrected
    DeskChoices choices;
    std::vector<domain::FieldError> errors;
    std::vector<domain::Patient> namesakes;
};
std::string desk_page(const Frame& frame, const DeskScreen& screen, const std::optional<Notice>& notice);

}  // namespace sgl::web
