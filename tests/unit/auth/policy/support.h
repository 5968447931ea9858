// Requests for policy tests: a context that is a list of values, and questions about S3 names.
#pragma once
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "auth/policy/evaluate.h"

namespace outcrop::policy::test {

/// Values by the key's name, as a policy writes it.
class MapContext final : public Context {
 public:
  MapContext() = default;
  MapContext(std::initializer_list<std::pair<std::string, std::vector<std::string>>> values) {
    for (const auto& [name, list] : values) {
      set(name, list);
    }
  }
  void set(const std::string& name, std::vector<std::string> values) {
    const auto key = find_key(name);
    ASSERT_TRUE(key) << name;
    x_values[{key->key, key->suffix}] = std::move(values);
  }
  void values(const KeyName& key, Values& out) const override {
    const auto at = x_values.find({key.key, key.suffix});
    if (at == x_values.end()) {
      return;
    }
    for (const std::string& v : at->second) {
      out.add(v);
    }
  }

 private:
  std::map<std::pair<Key, std::string>, std::vector<std::string>> x_values;
};

inline constexpr std::string_view kAlice = "arn:aws:iam::000000000000:user/alice";
inline constexpr Subject kAnonymous{};
inline constexpr Subject kRoot{.kind = Subject::Kind::root,
                               .account = kAccount,
                               .arn = "arn:aws:iam::000000000000:root",
                               .role_arn = {},
                               .canonical_id = "75aa57f09aa0c8caeab4f8c24e99d10f"};
inline constexpr Subject kUser{.kind = Subject::Kind::user,
                               .account = kAccount,
                               .arn = kAlice,
                               .role_arn = {},
                               .canonical_id = "75aa57f09aa0c8caeab4f8c24e99d10f"};

inline Policy compiled(std::string_view text,
                       PolicyKind kind = PolicyKind::identity,
                       std::string_view bucket = "photos") {
  auto policy = Policy::compile(text, kind, bucket);
  EXPECT_TRUE(policy) << text << "\n" << (policy ? "" : policy.error());
  return policy ? *std::move(policy) : Policy();
}

inline std::string refusal(std::string_view text,
                           PolicyKind kind = PolicyKind::bucket,
                           std::string_view bucket = "photos") {
  const auto policy = Policy::compile(text, kind, bucket);
  return policy ? "(accepted)" : policy.error();
}

/// Owns the text of one question.
struct Question {
  std::string action, resource;
  const Subject& subject = kUser;
  MapContext context{};

  Request request() const {
    ArnParts parts;
    EXPECT_TRUE(split_arn(resource, parts)) << resource;
    const auto number = find_action(action);
    EXPECT_TRUE(number) << action;
    return {
        .action = number.value_or(0), .resource = parts, .subject = subject, .context = context};
  }
};

inline bool allows(const Policy& policy, const Question& q) {
  const Request request = q.request();
  return policy.find(Effect::deny, request) == nullptr &&
         policy.find(Effect::allow, request) != nullptr;
}

}  // namespace outcrop::policy::test
