#include "server/oidc.h"

#include <algorithm>

namespace outcrop::server {

std::vector<identity::Provider> configured_providers(const Config& config) {
  std::vector<identity::Provider> out;
  for (const OidcProvider& provider : config.oidc) {
    out.push_back({.url = provider.issuer,
                   .client_ids = provider.client_ids,
                   .thumbprints = {},
                   .configured = true});
  }
  return out;
}

OidcSource source_of(const identity::Provider& provider, const Config& config) {
  const auto at = std::ranges::find(config.oidc, provider.url, &OidcProvider::issuer);
  if (provider.configured && at != config.oidc.end()) {
    return {.issuer = at->issuer, .jwks = at->jwks, .trust = {.ca_file = at->ca_file}};
  }
  return {.issuer = provider.url,
          .jwks = {},
          .trust = {.ca_file = {}, .thumbprints = provider.thumbprints, .public_only = true}};
}

Oidc::Oidc(Runtime& runtime,
           const Config& config,
           const Clock& clock,
           const identity::IdentityStore& identities)
    : x_fetcher(runtime.pool()),
      x_keys({.pool = runtime.pool(),
              .clock = clock,
              .folder = config.state_dir + "/oidc",
              .fetch =
                  [this](std::string url, FetchTrust trust) {
                    return x_fetcher.get(std::move(url), std::move(trust));
                  },
              .sources =
                  [&config, &identities] {
                    std::vector<OidcSource> out;
                    for (const auto& [name, provider] : identities.state()->providers) {
                      out.push_back(source_of(*provider, config));
                    }
                    return out;
                  },
              .least = config.oidc_refresh,
              .plain_http = config.oidc_plain_http}),
      x_passes(runtime.io(0).get_executor(),
               std::chrono::seconds(1),
               "the keys of identity providers",
               [this] { return x_keys.pass(); }) {}

}  // namespace outcrop::server
