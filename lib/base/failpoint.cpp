#include "lib/base/failpoint.hpp"

#include <unistd.h>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <string>

namespace sgl {

namespace {

struct Armed {
    std::string name;
    std::atomic<int> left{0};

    Armed() {
        const char* value = std::getenv("SGLD_FAILPOINT");
        if (value == nullptr) return;
        const std::string_view text = value;
        const auto colon = text.find(':');
        name = text.substr(0, colon);
        int count = 1;
        if (colon != std::string_view::npos) std::from_chars(text.data() + colon + 1, text.data() + text.size(), count);
        left = count;
    }
};

Armed& armed() {
    static Armed instance;
    return instance;
}

}  // namespace

void failpoint(std::string_view name) {
    auto& point = armed();
    if (point.left.load(std::memory_order_relaxed) <= 0 || point.name != name) return;
    if (point.left.fetch_sub(1) == 1) ::kill(::getpid(), SIGKILL);
}

std::string_view failpoint_names() {
    return "mllp_frame_complete before_inbox_insert after_inbox_commit_before_ack after_ack before_parse "
           "after_parse_before_apply before_validate_commit after_validate_commit before_report_build "
           "after_cda_before_pdf before_report_commit after_report_commit before_claim_commit "
           "after_claim_before_connect after_connect after_request_bytes_half after_request_sent "
           "after_response_before_commit after_result_commit lease_renew lease_reclaim audit_append migration_step_n";
}

}  // namespace sgl
