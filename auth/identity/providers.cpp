// Identity providers that are made over IAM. Those of the configuration are not changed here.
#include <algorithm>

#include "auth/identity/draft.h"
#include "auth/identity/identity_store.h"
#include "auth/identity/limits.h"
#include "auth/oidc/issuer.h"

namespace outcrop::identity {
namespace {

static_assert(kMaxProviderUrl == oidc::kMaxUrl);

std::unexpected<IamError> invalid(std::string message) {
  return refuse(IamCode::invalid_input, std::move(message));
}

bool printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

Checked<> check_provider(const Provider& provider, bool plain_http) {
  const auto url = oidc::split_url(provider.url);
  if (!url || (!url->tls && !plain_http)) {
    return invalid(
        "Invalid Open ID Connect Provider URL: it must be https://HOST/PATH, of at most " +
        std::to_string(kMaxProviderUrl) + " characters.");
  }
  if (provider.client_ids.size() > kMaxClientIds) {
    return refuse(IamCode::limit_exceeded,
                  "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: " +
                      std::to_string(kMaxClientIds));
  }
  for (const std::string& id : provider.client_ids) {
    if (id.empty() || id.size() > kMaxClientId || !printable(id)) {
      return invalid("A client ID has between 1 and " + std::to_string(kMaxClientId) +
                     " printable characters.");
    }
  }
  if (provider.thumbprints.size() > kMaxThumbprints) {
    return refuse(IamCode::limit_exceeded, "Thumbprint list must contain fewer than " +
                                               std::to_string(kMaxThumbprints + 1) + " entries.");
  }
  for (const std::string& thumbprint : provider.thumbprints) {
    if (thumbprint.size() != kThumbprintChars || !printable(thumbprint)) {
      return invalid("A thumbprint has " + std::to_string(kThumbprintChars) + " characters.");
    }
  }
  return {};
}

/// Condition keys do not tell upper from lower case.
bool taken(const State& state, std::string_view name) {
  return std::ranges::any_of(
      state.providers, [&](const auto& entry) { return policy::same_text(entry.first, name); });
}

}  // namespace

Checked<ProviderPtr> need_own_provider(const State& state, const std::string& arn) {
  ProviderPtr found = state.find_provider_arn(arn);
  if (!found) {
    return refuse(IamCode::no_such_entity, "OpenIDConnect Provider not found for arn " + arn);
  }
  if (found->configured) {
    return refuse(IamCode::not_implemented,
                  "This provider is in the server's configuration: it is changed there.");
  }
  return found;
}

Change<ProviderPtr> IdentityStore::create_provider(Provider wanted) {
  ProviderPtr made;
  const auto edit = [&](Draft& draft) -> Checked<> {
    if (auto fine = check_provider(wanted, x_needs.plain_http); !fine) {
      return fine;
    }
    if (taken(draft.next, wanted.name())) {
      return refuse(IamCode::entity_already_exists,
                    "Provider with url " + wanted.url + " already exists.");
    }
    if (draft.next.providers.size() >= kMaxProviders) {
      return refuse(IamCode::limit_exceeded, "Cannot exceed quota for OpenIdConnectProviders: " +
                                                 std::to_string(kMaxProviders));
    }
    wanted.created_ns = draft.now_ns;
    wanted.configured = false;
    made = draft.put(wanted);
    return {};
  };
  const Checked<> changed = co_await change(edit);
  if (!changed) {
    co_return std::unexpected(changed.error());
  }
  co_return made;
}

Change<> IdentityStore::remove_provider(std::string arn) {
  const auto edit = [&](Draft& draft) -> Checked<> {
    const auto found = need_own_provider(draft.next, arn);
    if (!found) {
      return std::unexpected(found.error());
    }
    draft.erase(**found);
    return {};
  };
  co_return co_await change(edit);
}

Change<> IdentityStore::edit_provider(std::string arn, std::function<void(Provider&)> edit_one) {
  const auto edit = [&](Draft& draft) -> Checked<> {
    const auto found = need_own_provider(draft.next, arn);
    if (!found) {
      return std::unexpected(found.error());
    }
    Provider changed = **found;
    edit_one(changed);
    if (auto fine = check_provider(changed, true); !fine) {
      return fine;
    }
    draft.put(std::move(changed));
    return {};
  };
  co_return co_await change(edit);
}

}  // namespace outcrop::identity
