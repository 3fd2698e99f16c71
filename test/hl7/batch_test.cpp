// Batches, hl7v2-lab 3.7.
#include "hl7/batch.hpp"

#include <gmock/gmock.h>

namespace sgl::hl7 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string one = "MSH|^~\\&|A|B|C|D|20260314||ORU^R01|1|P|2.5\rOBR|1\r";
const std::string two = "MSH|^~\\&|A|B|C|D|20260314||ORU^R01|2|P|2.5\rOBR|1\r";

TEST(Batch, IsNotOnePlainMessage) {
    const auto batch = read_batch(one);
    EXPECT_FALSE(batch.is_batch());
    EXPECT_THAT(batch.messages, ElementsAre(one));
    EXPECT_FALSE(read_batch("no HL7 at all").is_batch());
}

TEST(Batch, GivesEachOfItsMessages) {
    const auto block = "FHS|^~\\&|A\rBHS|^~\\&|A|B|||||||B77\r" + one + two + "BTS|2\rFTS|1\r";
    const auto batch = read_batch(block);
    EXPECT_TRUE(batch.is_batch());
    EXPECT_THAT(batch.messages, ElementsAre(one, two));
    EXPECT_EQ(batch.control_id, "B77");
    EXPECT_THAT(batch.wrong_counts, IsEmpty());
}

TEST(Batch, KnowsItsControlId) {
    EXPECT_EQ(read_batch("BHS|^~\\&|A|B|C|D|20260314||||B77\r" + one + "BTS|1\r").control_id, "B77");
}

TEST(Batch, IsSeveralMessagesWithoutEnvelopeToo) {
    const auto block = one + two;
    const auto batch = read_batch(block);
    EXPECT_TRUE(batch.is_batch());
    EXPECT_FALSE(batch.envelope);
    EXPECT_EQ(batch.messages.size(), 2U);
}

TEST(Batch, MayHoldNoMessage) {
    const auto batch = read_batch("FHS|^~\\&|A\rBHS|^~\\&|A\rBTS|0\rFTS|1\r");
    EXPECT_TRUE(batch.is_batch());
    EXPECT_THAT(batch.messages, IsEmpty());
    EXPECT_THAT(batch.wrong_counts, IsEmpty());
}

TEST(Batch, TellsCountsThatAreNotTrue) {
    EXPECT_THAT(read_batch("BHS|^~\\&|A\r" + one + "BTS|3\r").wrong_counts, ElementsAre("BTS-1"));
    EXPECT_THAT(
        read_batch("FHS|^~\\&\rBHS|^~\\&|A\r" + one + "BTS|1\rBHS|^~\\&|A\r" + two + "BTS|2\rFTS|9\r").wrong_counts,
        ElementsAre("BTS[2]-1", "FTS-1"));
    EXPECT_THAT(read_batch("BHS|^~\\&|A\r" + one + "BTS|\r").wrong_counts, IsEmpty()) << "no count, nothing to compare";
}

TEST(Batch, IsAnsweredByABatch) {
    AnswerContext context;
    context.sending_application = "SGL";
    context.sending_facility = "LBM|";
    context.control_id = "X1";
    context.time = Timestamp::parse("20260314081500").value();
    const auto incoming = read_batch("BHS|^~\\&|A|B|C|D|20260314||||B77\r" + one + "BTS|1\r");
    const std::vector<std::string> answers{"MSH|^~\\&|S\rMSA|AA|1\r"};
    EXPECT_EQ(batch_answer(incoming, answers, context),
              "BHS|^~\\&|SGL|LBM|||20260314081500||||X1|B77\rMSH|^~\\&|S\rMSA|AA|1\rBTS|1\r");
    EXPECT_EQ(read_batch(batch_answer(incoming, answers, context)).messages.size(), 1U);
}

}  // namespace
}  // namespace sgl::hl7
