#include "storage/ns/conditions.h"

#include <gtest/gtest.h>

namespace outcrop::ns {
namespace {

constexpr std::int64_t kNow = 1000;
using Text = std::optional<std::string>;
using Time = std::optional<std::int64_t>;

struct Case {
  const char* name;
  Conditions conditions;
  bool exists;
  Access access;
  std::optional<Errc> expected;
};

class CheckConditions : public ::testing::TestWithParam<Case> {};

TEST_P(CheckConditions, Table) {
  const ConditionTarget object{"abc", kNow * 1'000'000'000 + 5};
  const auto result = check_conditions(GetParam().conditions, GetParam().exists ? &object : nullptr,
                                       GetParam().access);
  EXPECT_EQ(result ? std::nullopt : std::optional(result.error().code()), GetParam().expected);
}

Conditions when(Text match, Text none, Time modified = {}, Time unmodified = {}) {
  return {.if_match = std::move(match),
          .if_none_match = std::move(none),
          .if_modified_since = modified,
          .if_unmodified_since = unmodified};
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    CheckConditions,
    ::testing::Values(
        Case{"none", {}, true, Access::read, {}},
        Case{"match", when("\"abc\"", {}), true, Access::write, {}},
        Case{"match_bare", when("abc", {}), true, Access::write, {}},
        Case{"match_list", when("\"x\" , \"abc\"", {}), true, Access::write, {}},
        Case{"match_star", when("*", {}), true, Access::write, {}},
        Case{"match_star_absent", when("*", {}), false, Access::write, Errc::no_such_key},
        Case{"match_weak", when("W/\"abc\"", {}), true, Access::write, Errc::precondition_failed},
        Case{"match_other", when("\"x\"", {}), true, Access::read, Errc::precondition_failed},
        Case{"match_beats_unmodified", when("abc", {}, {}, kNow - 1), true, Access::read, {}},
        Case{"none_star_exists", when({}, "*"), true, Access::write, Errc::precondition_failed},
        Case{"none_star_absent", when({}, "*"), false, Access::write, {}},
        Case{"none_match_read", when({}, "W/\"abc\""), true, Access::read, Errc::not_modified},
        Case{"none_match_copy", when({}, "abc"), true, Access::copy, Errc::precondition_failed},
        Case{"none_other", when({}, "\"x\""), true, Access::read, {}},
        Case{"none_beats_modified", when({}, "x", kNow + 1), true, Access::read, {}},
        Case{"modified_same", when({}, {}, kNow), true, Access::read, Errc::not_modified},
        Case{"modified_before", when({}, {}, kNow - 1), true, Access::read, {}},
        Case{"modified_copy", when({}, {}, kNow), true, Access::copy, Errc::precondition_failed},
        Case{"modified_write", when({}, {}, kNow), true, Access::write, {}},
        Case{"unmodified_same", when({}, {}, {}, kNow), true, Access::read, {}},
        Case{"unmodified_before", when({}, {}, {}, kNow - 1), true, Access::read,
             Errc::precondition_failed}),
    [](const auto& p) { return std::string(p.param.name); });

}  // namespace
}  // namespace outcrop::ns
