// The laboratory that is in force now; an import replaces it while messages in progress still use the one before.
#pragma once

#include "lib/domain/laboratory.hpp"

namespace sgl::flow {

/// Used by one thread, the I/O thread.
class LiveLaboratory {
public:
    domain::LaboratoryPtr current() const { return current_; }
    void replace(domain::LaboratoryPtr next) { current_ = std::move(next); }

private:
    domain::LaboratoryPtr current_ = std::make_shared<const domain::Laboratory>(domain::Laboratory::Parts{});
};

}  // namespace sgl::flow
