// Any text as a policy of each kind: it is refused with a reason, or it compiles and decides every
// kind of caller without harm; a Deny of everything on top of it always wins. What the rgw dialect
// makes of it twice is what it makes of it once, and what has no Principal stays as it is.
#include <cstdint>
#include <string_view>

#include "auth/policy/evaluate.h"
#include "auth/policy/explain.h"
#include "auth/policy/rgw.h"
#include "storage/base/assert.h"

using namespace outcrop;
using namespace outcrop::policy;

namespace {

class EveryKey final : public Context {
 public:
  void values(const KeyName& key, Values& out) const override {
    for (unsigned n = static_cast<unsigned>(key.key) % 7; n > 0; --n) {
      out.add(n % 2 == 0 ? std::string_view("10") : std::string_view("a*\xc3\xa9"));
    }
  }
};

void ask(const Policy& policy) {
  static const Policy deny_all = *Policy::compile(
      R"({"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}})", PolicyKind::identity);
  static const EveryKey context;
  const Subject callers[] = {{},
                             {.kind = Subject::Kind::root,
                              .account = kAccount,
                              .arn = "arn:aws:iam::000000000000:root",
                              .role_arn = {},
                              .canonical_id = {}},
                             {.kind = Subject::Kind::user,
                              .account = kAccount,
                              .arn = "arn:aws:iam::000000000000:user/alice",
                              .role_arn = {},
                              .canonical_id = {}}};
  ArnParts resource;
  OUTCROP_ASSERT(split_arn("arn:aws:s3:::photos/a/b:c", resource));
  for (const Subject& who : callers) {
    for (std::size_t action = 0; action < action_count(); action += 7) {
      const Request request{.action = static_cast<Action>(action),
                            .resource = resource,
                            .subject = who,
                            .context = context};
      const Policy* const identity[] = {&policy, &deny_all};
      PolicySet set;
      set.identity = std::span(identity).first(policy.kind() == PolicyKind::identity ? 1 : 0);
      set.bucket = policy.kind() == PolicyKind::bucket ? &policy : nullptr;
      const bool unbound = decide(set, request).allowed;
      set.session = &deny_all;
      OUTCROP_ASSERT(!decide(set, request).allowed);
      set.session = nullptr;
      set.boundary = &deny_all;
      OUTCROP_ASSERT(who.kind == Subject::Kind::root || !decide(set, request).allowed);
      set.boundary = nullptr;
      set.identity = std::span(identity).subspan(policy.kind() == PolicyKind::identity ? 0 : 1);
      OUTCROP_ASSERT(!decide(set, request).allowed);
      std::ignore = unbound;
    }
  }
}

void translate(std::string_view text) {
  const std::string full = with_account(text), bare = without_principal(text);
  OUTCROP_ASSERT(with_account(full) == full);
  OUTCROP_ASSERT(without_account(with_account(without_account(full))) == without_account(full));
  OUTCROP_ASSERT(without_principal(bare) == bare);
  if (Policy::compile(text, PolicyKind::identity)) {
    OUTCROP_ASSERT(bare == text);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  translate(text);
  for (const PolicyKind kind : {PolicyKind::identity, PolicyKind::bucket, PolicyKind::trust}) {
    const auto policy = Policy::compile(text, kind, "photos");
    if (!policy) {
      OUTCROP_ASSERT(!policy.error().empty());
      continue;
    }
    std::ignore = is_public(*policy);
    OUTCROP_ASSERT(statement_spans(text).size() == policy->statements().size());
    OUTCROP_ASSERT(context_keys(text).size() <= kMaxPolicyValues * 8);
    ask(*policy);
  }
  return 0;
}
