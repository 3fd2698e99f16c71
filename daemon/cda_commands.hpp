// Commands about CDA documents in files, which need no configuration and no database: `sgld cda read`, `sgld check`.
#pragma once

#include <string>
#include <vector>

namespace sgl::daemon {

/// Prints each document as JSON, one a line. 0, or 1 when one of them can't be read.
int read_documents(const std::vector<std::string>& names);

struct CheckCommand {
    std::vector<std::string> names;
    bool ours{false};        ///< also our closed profile
    bool production{false};  ///< test identities are errors
    bool json{false};
    unsigned ring{2};
    std::string kit;          ///< folder of the official kit, for ring 3
    std::string kit_defects;  ///< file; empty: the list as shipped
};
/// Prints what is found in documents and in the documents of XDM archives. 0, 1 when one of
/// them is rejected, 2 when the kit can't be used.
int check_documents(const CheckCommand& command);

}  // namespace sgl::daemon
