// STS AssumeRoleWithWebIdentity: a token of an identity provider for a session of a role that
// trusts the provider. Nobody has signed the request: the token is the proof.
#include <algorithm>

#include "api/iam/answer.h"
#include "api/iam/form_context.h"
#include "api/iam/sts.h"
#include "auth/oidc/key_source.h"
#include "auth/oidc/token.h"
#include "storage/base/clock.h"

namespace outcrop::iam {
namespace {

using identity::Checked;
using identity::IamCode;

/// A verified token, and whom it is of.
struct Holder {
  identity::ProviderPtr provider;
  oidc::Claims claims;
  std::string audience;  ///< the client id of the provider that it is for
};

std::unexpected<identity::IamError> refusal(const oidc::TokenError& error) {
  switch (error.fault) {
    case oidc::TokenFault::expired:
      return identity::refuse(IamCode::expired_token, error.message);
    case oidc::TokenFault::not_yet:
      return identity::refuse(IamCode::rejected_claim, error.message);
    case oidc::TokenFault::malformed:
    case oidc::TokenFault::unknown_key:
    case oidc::TokenFault::signature:
      break;
  }
  return identity::refuse(IamCode::invalid_token, error.message);
}

std::unexpected<identity::IamError> come_again() {
  return identity::refuse(
      IamCode::provider_unreachable,
      "The keys of the identity provider are being fetched, or could not be. Try again.");
}

/// One of the audiences, or else the party that it was given to (azp), as AWS has it.
std::string audience_of(const oidc::Claims& claims, const identity::Provider& provider) {
  const auto known = [&](const std::string& id) {
    return std::ranges::count(provider.client_ids, id) != 0;
  };
  const auto named = std::ranges::find_if(claims.audiences, known);
  return named != claims.audiences.end() ? *named : known(claims.party) ? claims.party : "";
}

Checked<Holder> verified_holder(const Call& call) {
  const std::string text = call.form.get("WebIdentityToken");
  const auto token = oidc::Token::parse(text);
  if (!token) {
    return refusal(token.error());
  }
  const std::string& issuer = token->unverified_issuer();
  const identity::ProviderPtr provider = call.state->find_issuer(issuer);
  if (!provider) {
    return identity::refuse(IamCode::invalid_token,
                            "No OpenIDConnect provider found in your account for " + issuer);
  }
  const oidc::KeySetPtr keys = call.keys != nullptr ? call.keys->keys(issuer) : nullptr;
  if (!keys) {
    return come_again();
  }
  auto claims = token->verify(*keys, call.clock.wall_ns() / 1'000'000'000);
  if (!claims) {
    const bool newer = claims.error().fault == oidc::TokenFault::unknown_key;
    return newer && call.keys->refresh(issuer) ? come_again() : refusal(claims.error());
  }
  std::string audience = audience_of(*claims, *provider);
  if (audience.empty()) {
    return identity::refuse(IamCode::invalid_token, "Incorrect token audience");
  }
  return Holder{provider, *std::move(claims), std::move(audience)};
}

/// With the claims of the token, under the name of its provider.
class TokenContext final : public FormContext {
 public:
  TokenContext(const Call& call, const identity::Entity& role, const Holder& holder)
      : FormContext(call.context, call.form, {.tags = role.tags}),
        x_holder(holder),
        x_arn(holder.provider->arn()) {}
  void values(const policy::KeyName& key, policy::Values& out) const override {
    const oidc::Claims& claims = x_holder.claims;
    if (key.key == policy::Key::tag_keys || key.key == policy::Key::request_tag) {
      return add_tags(key, out);
    }
    const auto add_all = [&](const std::vector<std::string>& texts) {
      std::ranges::for_each(texts, [&](const std::string& text) { out.add(text); });
    };
    if (key.key == policy::Key::federated_provider) {
      out.add(x_arn);
      return;
    }
    if (key.key == policy::Key::transitive_tag_keys) {
      return add_all(claims.transitive_tags);
    }
    const bool claim = key.key == policy::Key::token_amr || key.key == policy::Key::token_aud ||
                       key.key == policy::Key::token_azp || key.key == policy::Key::token_sub;
    if (!claim) {
      FormContext::values(key, out);
    } else if (!policy::same_text(key.suffix, x_holder.provider->name())) {
      return;  // of another provider
    } else if (key.key == policy::Key::token_sub) {
      out.add(claims.subject);
    } else if (key.key == policy::Key::token_aud) {
      add_all(claims.audiences);
    } else if (key.key == policy::Key::token_amr) {
      add_all(claims.methods);
    } else if (!claims.party.empty()) {
      out.add(claims.party);
    }
  }

 private:
  /// The provider's word, not that of the form, which nobody has signed.
  void add_tags(const policy::KeyName& key, policy::Values& out) const {
    for (const auto& [name, value] : x_holder.claims.tags) {
      if (key.key == policy::Key::tag_keys) {
        out.add(name);
      } else if (policy::same_text(name, key.suffix)) {
        out.add(value);
      }
    }
  }

  const Holder& x_holder;
  const std::string x_arn;
};

/// The role's trust policy alone decides: who has nothing but a token has no policies of his own.
policy::Decision decide(const Call& call,
                        const identity::Entity& role,
                        const Holder& holder,
                        std::string_view action) {
  using policy::Reason;
  if (!role.trust->compiled) {
    return {.reason = Reason::unreadable};
  }
  const std::string arn = role.arn(), provider = holder.provider->arn();
  policy::ArnParts parts;
  if (!policy::split_arn(arn, parts)) {
    return {};
  }
  const TokenContext context(call, role, holder);
  const policy::Subject subject{.kind = policy::Subject::Kind::web_identity,
                                .account = {},
                                .arn = provider,
                                .role_arn = {},
                                .canonical_id = {}};
  const policy::Request request{.action = policy::find_action(action).value(),
                                .resource = parts,
                                .subject = subject,
                                .context = context};
  const policy::Policy& trust = *role.trust->compiled;
  if (const auto* const deny = trust.find(policy::Effect::deny, request)) {
    return {.reason = Reason::denied_by_trust, .statement = deny};
  }
  const auto* const allow = trust.find(policy::Effect::allow, request);
  return {.allowed = allow != nullptr,
          .reason = allow != nullptr ? Reason::trust_policy : Reason::not_allowed,
          .statement = allow};
}

/// That the holder may have the role, and tag its session if his token does. A role that there is
/// not is refused like one that does not trust the provider.
Checked<> check_role(Call& call, const identity::EntityPtr& role, const Holder& holder) {
  for (const std::string_view action : {"sts:AssumeRoleWithWebIdentity", "sts:TagSession"}) {
    if (action == "sts:TagSession" && holder.claims.tags.empty()) {
      break;
    }
    const policy::Decision decision =
        role ? decide(call, *role, holder, action) : policy::Decision();
    call.why = decision.why();
    if (!decision.allowed) {
      return identity::refuse(IamCode::access_denied,
                              "Not authorized to perform " + std::string(action));
    }
  }
  return {};
}

/// What the token says of the session's tags.
Checked<identity::SessionTags> tags_of_token(const oidc::Claims& claims) {
  const auto tags = identity::make_tags(claims.tags);
  return tags ? session_tags({}, *tags, claims.transitive_tags)
              : Checked<identity::SessionTags>(std::unexpected(tags.error()));
}

}  // namespace

Answer assume_role_with_web_identity(Call& call) {
  auto session = role_session(call);
  if (!session) {
    co_return std::unexpected(session.error());
  }
  const auto seconds = role_duration(call);
  if (!seconds) {
    co_return std::unexpected(seconds.error());
  }
  const Checked<Holder> holder = verified_holder(call);
  if (!holder) {
    co_return std::unexpected(holder.error());
  }
  const std::string provider(holder->provider->name());
  call.holder = provider + ":" + holder->claims.subject;
  auto tags = tags_of_token(holder->claims);
  if (!tags) {
    co_return std::unexpected(std::move(tags).error());
  }
  const identity::EntityPtr role = named_role(call);
  if (auto allowed = check_role(call, role, *holder); !allowed) {
    co_return allowed;
  }
  if (auto allowed = within(call, *role, *seconds); !allowed) {
    co_return allowed;
  }
  auth::Identity nobody;
  nobody.federation = {.provider = provider,
                       .provider_ns = holder->provider->created_ns,
                       .subject = holder->claims.subject,
                       .audience = holder->audience,
                       .role = role->name,
                       .role_id = role->id};
  const std::string name = session->name;
  session->tags = *std::move(tags);
  const auto made = call.store.issue(nobody, {}, role.get(), *std::move(session), *seconds);
  if (!made) {
    co_return std::unexpected(made.error());
  }
  call.xml.text("SubjectFromWebIdentityToken", holder->claims.subject);
  call.xml.text("Audience", holder->audience);
  write_assumed_role(call, *role, name);
  write_credentials(call, *made);
  call.xml.text("Provider", holder->provider->url);
  co_return Checked<>{};
}

}  // namespace outcrop::iam
