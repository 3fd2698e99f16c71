#include "hl7/commit.hpp"

namespace sgl::hl7 {

CommitWait::Next CommitWait::commit(std::string_view byte) {
    if (!waiting_) return Next::ignore;
    if (byte == commit_ack) {
        waiting_ = false;
        return Next::done;
    }
    if (left_ == 0) {
        waiting_ = false;
        return Next::give_up;
    }
    --left_;
    return Next::resend;
}

CommitWait::Next CommitWait::answered() {
    if (!waiting_) return Next::ignore;
    waiting_ = false;
    return Next::done;
}

}  // namespace sgl::hl7
