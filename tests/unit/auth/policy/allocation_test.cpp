// A decision allocates nothing: what a policy costs a request is comparisons only.
#include <cstdlib>
#include <new>

#include "tests/unit/auth/policy/support.h"

namespace {
std::size_t allocations = 0;
}

void* operator new(std::size_t size) {
  ++allocations;
  void* const memory = std::malloc(size);
  if (memory == nullptr) {
    std::abort();
  }
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace outcrop::policy::test {
namespace {

class FixedContext final : public Context {
 public:
  void values(const KeyName& key, Values& out) const override {
    if (key.key == Key::username) {
      out.add("alice");
    } else if (key.key == Key::source_ip) {
      out.add("10.1.2.3");
    } else if (key.key == Key::max_keys) {
      out.add("10");
    }
  }
};

TEST(Decide, AllocatesNothing) {
  const Policy identity = compiled(R"({"Version":"2012-10-17","Statement":[
      {"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{
        "NotIpAddress":{"aws:SourceIp":["10.0.0.0/8"]}}},
      {"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{
        "NumericGreaterThan":{"s3:max-keys":"100"}}},
      {"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::photos/${aws:username}/*"}]})");
  const Policy bucket = compiled(R"({"Statement":{"Effect":"Allow","Principal":"*",
      "Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/*"}})",
                                 PolicyKind::bucket);
  const FixedContext context;
  ArnParts resource;
  ASSERT_TRUE(split_arn("arn:aws:s3:::photos/alice/2026/a.jpg", resource));
  const Policy* const list[] = {&identity};
  const PolicySet set{.identity = list, .bucket = &bucket};
  const Request request{.action = find_action("s3:PutObject").value(),
                        .resource = resource,
                        .subject = kUser,
                        .context = context};
  const std::size_t before = allocations;
  const Decision decision = decide(set, request);
  const std::size_t after = allocations;
  EXPECT_TRUE(decision.allowed);
  EXPECT_EQ(after, before);
}

}  // namespace
}  // namespace outcrop::policy::test
