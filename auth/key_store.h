// Where secrets come from: the fixed set of credentials of a server, and the root credential that
// is configured, found in the state folder, or made there at the first start.
#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/authenticator.h"
#include "storage/base/random.h"
#include "storage/base/result.h"

namespace outcrop::auth {

/// A set of credentials that does not change. Any thread.
class StaticKeyStore final : public KeyStore {
 public:
  explicit StaticKeyStore(std::vector<Credential> credentials);
  std::optional<Credential> find(std::string_view access_key) const override;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::unordered_map<std::string, Credential, Hash, std::equal_to<>> x_credentials;
};

struct RootCredentialSource {
  std::string access_key, secret_key;  ///< from the configuration; both or neither
  std::filesystem::path state_dir;     ///< holds the file `credentials`; must exist
};

/// The root credential: from the configuration, else from `<state_dir>/credentials`, else generated
/// and written there (0600, complete and fsynced before its name appears). Errc::config, with one
/// line for the operator: half a pair, a form that cannot work, a pair that is publicly known, or a
/// credentials file that others may read or that does not parse. Blocks on the disk; for start-up.
Result<Credential> load_root_credential(const RootCredentialSource& source, Random& random);

/// Refuses credentials that cannot work in SigV4, are too short, or are known from documentation
/// and default installations. Errc::config with the reason.
Result<void> check_credential(const Credential& credential);

}  // namespace outcrop::auth
