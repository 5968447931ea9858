// Identity providers of a running server: what the configuration says of them, their keys, and the
// work that keeps these fresh. Made and stopped on the main thread; the work is on one worker.
#pragma once
#include <memory>

#include "auth/identity/identity_store.h"
#include "server/config.h"
#include "server/oidc_keys.h"
#include "server/runtime.h"
#include "storage/engine/periodic.h"

namespace outcrop::server {

/// Those of the configuration, for the store of identities.
std::vector<identity::Provider> configured_providers(const Config& config);
/// Where the keys of a provider are: of one that was made over IAM, at a public address only.
OidcSource source_of(const identity::Provider& provider, const Config& config);

class Oidc {
 public:
  /// Borrowed; outlives this.
  Oidc(Runtime& runtime,
       const Config& config,
       const Clock& clock,
       const identity::IdentityStore& identities);
  void start() { x_passes.start(); }
  /// Ends what is on the network. Any thread; waits for nothing.
  void cancel() { x_fetcher.stop(); }
  /// Waits for the end of what was cancelled: a name that is being resolved may take its time.
  Task<> stop() { return x_passes.stop(); }
  oidc::KeySource& keys() { return x_keys; }

 private:
  OidcFetcher x_fetcher;
  OidcKeys x_keys;
  engine::Periodic x_passes;
};

}  // namespace outcrop::server
