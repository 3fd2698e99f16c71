// The simulator's store keeps the contract of letters.
#include "test/lib/delivery/engine/letter_contract.hpp"
#include "test/lib/delivery/engine/memory_laboratory.hpp"

namespace sgl::delivery::test {

INSTANTIATE_TYPED_TEST_SUITE_P(Memory, LetterContract, MemoryLaboratory);

}  // namespace sgl::delivery::test
