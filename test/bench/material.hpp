// What the load is made of: a catalogue of 20 codes, orders that ask for all of them, and their results. Invented people
// with test identities, each order with its own specimen, each message with its own identifier.
#pragma once

#include <cstddef>
#include <string>

namespace sgl::bench {

constexpr std::size_t observations = 20;

/// For `sgld import`: codes B01 to B20, all in panel BENCH.
std::string catalogue_csv();

/// OML^O21 that registers order number `n`, as the link registration-centre of the samples sends it.
std::string order_message(std::size_t n);
/// ORU^R01 2.5.1 with 20 OBX, all final, for that order, as the link analyser-centre sends it.
std::string result_message(std::size_t n);

std::string order_control_id(std::size_t n);
std::string result_control_id(std::size_t n);
/// The prescription's number by which the order can be found again.
std::string group_number(std::size_t n);

}  // namespace sgl::bench
