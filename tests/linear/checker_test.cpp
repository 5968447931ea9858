#include "tests/linear/checker.h"

#include <gtest/gtest.h>

#include <random>

namespace outcrop::linear {
namespace {

Event event(Kind kind, std::int64_t from, std::int64_t to, Value value, Value expected = kAbsent) {
  return {.kind = kind, .value = value, .expected = expected, .call_ns = from, .return_ns = to};
}
Event read(std::int64_t from, std::int64_t to, Value value) {
  return event(Kind::read, from, to, value);
}
Event put(std::int64_t from, std::int64_t to, Value value) {
  return event(Kind::put, from, to, value);
}
Event refused(Event event) {
  event.outcome = Outcome::refused;
  return event;
}
Event lost(Event event) {
  event.outcome = Outcome::unknown;
  event.return_ns = kNever;
  return event;
}
Verdict verdict(const History& history) { return check(history).verdict; }

TEST(LinearChecker, AnEmptyHistory) { EXPECT_EQ(verdict({}), Verdict::linearizable); }

TEST(LinearChecker, OneAfterTheOther) {
  EXPECT_EQ(verdict({put(1, 2, 7), read(3, 4, 7)}), Verdict::linearizable);
  EXPECT_EQ(verdict({read(1, 2, kAbsent), put(3, 4, 7)}), Verdict::linearizable);
}

TEST(LinearChecker, AStaleRead) {
  const Check found = check({put(1, 2, 7), put(3, 4, 8), read(5, 6, 7)});
  EXPECT_EQ(found.verdict, Verdict::violation);
  EXPECT_EQ(found.stuck, 2U);
  EXPECT_EQ(found.order, (std::vector<std::size_t>{0, 1}));
}

TEST(LinearChecker, AnAckedWriteThatIsLost) {
  EXPECT_EQ(verdict({put(1, 2, 7), read(3, 4, kAbsent)}), Verdict::violation);
}

TEST(LinearChecker, ReadsOfAWriteUnderWayMayNotGoBack) {
  EXPECT_EQ(verdict({put(1, 10, 7), read(2, 3, kAbsent), read(4, 5, 7)}), Verdict::linearizable);
  EXPECT_EQ(verdict({put(1, 10, 7), read(2, 3, 7), read(4, 5, kAbsent)}), Verdict::violation);
}

TEST(LinearChecker, OfTwoConditionalWritesOneWins) {
  const auto create = [](std::int64_t from, Value value) {
    return event(Kind::put_if_absent, from, 10, value);
  };
  EXPECT_EQ(verdict({create(1, 7), refused(create(2, 8)), read(11, 12, 7)}), Verdict::linearizable);
  EXPECT_EQ(verdict({create(1, 7), create(2, 8)}), Verdict::violation);
  EXPECT_EQ(verdict({refused(create(1, 7)), refused(create(2, 8))}), Verdict::violation);
  const auto swap = [](std::int64_t from, Value value) {
    return event(Kind::put_if_match, from, 10, value, 7);
  };
  EXPECT_EQ(verdict({put(0, 1, 7), swap(2, 8), refused(swap(3, 9))}), Verdict::linearizable);
  EXPECT_EQ(verdict({put(0, 1, 7), swap(2, 8), swap(3, 9)}), Verdict::violation);
  EXPECT_EQ(verdict({put(0, 1, 7), refused(swap(2, 8))}), Verdict::violation);
}

TEST(LinearChecker, ConditionalRemoves) {
  const Event remove = event(Kind::remove_if_match, 3, 4, kAbsent, 7);
  EXPECT_EQ(verdict({put(1, 2, 7), remove, read(5, 6, kAbsent)}), Verdict::linearizable);
  EXPECT_EQ(verdict({put(1, 2, 8), remove}), Verdict::violation);
  EXPECT_EQ(verdict({put(1, 2, 8), refused(remove), read(5, 6, 8)}), Verdict::linearizable);
  EXPECT_EQ(verdict({remove, read(5, 6, kAbsent)}), Verdict::violation) << "there was nothing";
  EXPECT_EQ(verdict({refused(remove), read(5, 6, kAbsent)}), Verdict::linearizable);
}

TEST(LinearChecker, WhatIsUnknownMayHappenLateOrNever) {
  EXPECT_EQ(verdict({lost(put(1, 2, 7)), read(3, 4, kAbsent), read(5, 6, 7)}),
            Verdict::linearizable);
  EXPECT_EQ(verdict({lost(put(1, 2, 7)), read(3, 4, kAbsent)}), Verdict::linearizable);
  EXPECT_EQ(verdict({lost(put(5, 6, 7)), read(3, 4, 7)}), Verdict::violation) << "not before";
  EXPECT_EQ(verdict({lost(put(1, 2, 7)), read(3, 4, 7), read(5, 6, kAbsent)}), Verdict::violation)
      << "and only once";
}

TEST(LinearChecker, TheSourceOfACopyThatDiffers) {
  EXPECT_EQ(verdict({put(1, 2, 8), event(Kind::differs, 3, 4, 0, 7)}), Verdict::linearizable);
  EXPECT_EQ(verdict({put(1, 2, 7), event(Kind::differs, 3, 4, 0, 7)}), Verdict::violation);
}

TEST(LinearChecker, ItGivesUpRatherThanGoOnForEver) {
  History history;
  for (Value value = 1; value <= 20; ++value) {
    history.push_back(lost(put(1, 2, value)));
  }
  history.push_back(read(3, 4, 99));
  EXPECT_EQ(check(history, 1000).verdict, Verdict::undecided);
}

/// Histories of an object that works, with answers that come late, some of PUTs never.
class RandomHistories : public ::testing::TestWithParam<unsigned> {
 protected:
  RandomHistories() : random(GetParam()) {
    Value state = kAbsent;
    std::int64_t now = 0;
    for (Value next = 1; next <= 400; ++next) {
      now += 10;
      Event e =
          event(static_cast<Kind>(random() % 6), now - static_cast<std::int64_t>(random() % 40),
                now + 1 + static_cast<std::int64_t>(random() % 40), next,
                random() % 2 == 0 ? state : next - 1);
      const bool conditional = e.kind == Kind::put_if_match || e.kind == Kind::remove_if_match;
      if (e.kind == Kind::read) {
        e.value = state;
      } else if ((e.kind == Kind::put_if_absent && state != kAbsent) ||
                 (conditional && e.expected != state)) {
        e.outcome = Outcome::refused;
      } else {
        state = e.kind == Kind::remove || e.kind == Kind::remove_if_match ? kAbsent : next;
      }
      history.push_back(e.kind == Kind::put && random() % 10 == 0 ? lost(e) : e);
    }
  }
  std::mt19937_64 random;
  History history;
};

TEST_P(RandomHistories, AreLinearizable) { EXPECT_EQ(verdict(history), Verdict::linearizable); }

TEST_P(RandomHistories, AreNotWithAReadOfWhatNobodyWrote) {
  history.push_back(read(2000, 2001, 1'000'000));
  EXPECT_EQ(verdict(history), Verdict::violation);
}

TEST_P(RandomHistories, AreNotWhenTheLastAckedWriteIsLost) {
  history.push_back(put(10'000, 10'001, 777));
  history.push_back(read(10'002, 10'003, 777));
  EXPECT_EQ(verdict(history), Verdict::linearizable);
  history.back().value = kAbsent;
  EXPECT_EQ(verdict(history), Verdict::violation);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomHistories, ::testing::Range(0U, 20U));

}  // namespace
}  // namespace outcrop::linear
