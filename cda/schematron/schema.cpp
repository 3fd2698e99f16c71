#include "cda/schematron/schema.hpp"

#include <mutex>

#include "cda/schematron/detail_evaluator.hpp"
#include "cda/schematron/detail_read.hpp"

namespace sgl::cda::schematron {

struct Schema::Shared {
    detail::Program program;
    std::mutex mutex;
    std::vector<std::unique_ptr<detail::Evaluator>> idle;  ///< as many as threads have judged at the same time

    std::unique_ptr<detail::Evaluator> borrow() {
        const std::scoped_lock lock(mutex);
        if (idle.empty()) return std::make_unique<detail::Evaluator>(program);
        auto evaluator = std::move(idle.back());
        idle.pop_back();
        return evaluator;
    }
    void give_back(std::unique_ptr<detail::Evaluator> evaluator) {
        const std::scoped_lock lock(mutex);
        idle.push_back(std::move(evaluator));
    }
};

Schema::Schema(std::unique_ptr<Shared> shared) : shared_(std::move(shared)) {}
Schema::Schema(Schema&&) noexcept = default;
Schema& Schema::operator=(Schema&&) noexcept = default;
Schema::~Schema() = default;

Result<Schema> Schema::compile(std::string family, const std::string& path, const Lookup& lookup,
                               const std::string& phase) {
    auto program = detail::read_schema(std::move(family), path, lookup, phase);
    if (!program) return program.error();
    auto shared = std::make_unique<Shared>();
    shared->program = std::move(*program);
    auto evaluator = shared->borrow();
    if (auto compiled = evaluator->compile_all(); !compiled) return compiled.error();
    shared->give_back(std::move(evaluator));
    return Schema(std::move(shared));
}

Result<std::vector<Finding>> Schema::check(const Document& document, const RunOptions& options) const {
    auto evaluator = shared_->borrow();
    auto findings = evaluator->run(document.tree(), options);
    shared_->give_back(std::move(evaluator));
    return findings;
}

const std::vector<std::string>& Schema::notes() const {
    return shared_->program.notes;
}
std::size_t Schema::patterns() const {
    return shared_->program.patterns.size();
}
std::size_t Schema::rules() const {
    std::size_t rules = 0;
    for (const auto& pattern : shared_->program.patterns)
        rules += pattern.rules.size();
    return rules;
}
std::size_t Schema::tests() const {
    return shared_->program.checks.size();
}

}  // namespace sgl::cda::schematron
