#include "auth/key_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "storage/base/log.h"

namespace outcrop::auth {
namespace {

constexpr std::size_t kMaxFileBytes = 4096;
constexpr std::string_view kAccessAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view kSecretAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

struct KnownCredential {
  std::string_view access_key, secret_key, origin;
};
/// Access keys and secrets that anybody can look up. Either half is enough to refuse.
constexpr KnownCredential kKnown[] = {
    {"minioadmin", "minioadmin", "the MinIO default"},
    {"minio", "minio123", "the MinIO example"},
    {"Q3AM3UQ867SPQQA43P2F", "zuf+tfteSlswRu7BJ86wekitnifILbZam1KYY3TG", "MinIO's playground"},
    {"rustfsadmin", "rustfsadmin", "the RustFS default"},
    {"admin", "password", "a common default"},
    {"root", "password", "a common default"},
    {"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "the AWS documentation"},
    {"some_access_key1", "some_secret_key1", "the SeaweedFS example"},
    {"0555b35654ad1656d804",
     "h7GhxuBLTrlhVUyxSPUKUV8r/2EI4ngqJxD7iBdBYLhwluN30JaT3Q==", "the Ceph test cluster"},
};

class File {
 public:
  explicit File(int fd) : x_fd(fd) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (x_fd >= 0) {
      ::close(x_fd);
    }
  }
  int fd() const { return x_fd; }
  bool open() const { return x_fd >= 0; }

 private:
  int x_fd;
};

std::unexpected<Error> refuse(std::string why) { return fail(Errc::config, std::move(why)); }

std::unexpected<Error> file_error(const char* what, const std::filesystem::path& path) {
  return fail(Errc::config, std::string(what) + " " + path.string() + ": " +
                                std::generic_category().message(errno));
}

std::string random_text(std::string_view alphabet, std::size_t size, Random& random) {
  std::string text;
  while (text.size() < size) {
    std::array<std::byte, 64> bytes;
    random.fill(bytes);
    for (const std::byte b : bytes) {
      // Values that do not fit a whole number of alphabets are dropped: no letter is favoured.
      const std::size_t value = std::to_integer<std::size_t>(b);
      if (value < 256 / alphabet.size() * alphabet.size() && text.size() < size) {
        text.push_back(alphabet[value % alphabet.size()]);
      }
    }
  }
  return text;
}

Result<Credential> parse_file(std::string_view text, const std::filesystem::path& path) {
  Credential credential;
  credential.root = true;
  for (int line_number = 1; !text.empty(); ++line_number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    const std::size_t equals = line.find('=');
    const std::string_view name = line.substr(0, equals);
    std::string* const slot = name == "access_key"   ? &credential.access_key
                              : name == "secret_key" ? &credential.secret_key
                                                     : nullptr;
    if (slot == nullptr || equals == std::string_view::npos || !slot->empty()) {
      // The line itself may be a secret with a typing error before it: never printed.
      return refuse(path.string() + ":" + std::to_string(line_number) +
                    ": expected one access_key=... and one secret_key=... line");
    }
    *slot = line.substr(equals + 1);
  }
  if (credential.access_key.empty() || credential.secret_key.empty()) {
    return refuse(path.string() + ": expected one access_key=... and one secret_key=... line");
  }
  return credential;
}

Result<Credential> read_file(const File& file, const std::filesystem::path& path) {
  struct stat status{};
  if (::fstat(file.fd(), &status) != 0) {
    return file_error("cannot read", path);
  }
  if (!S_ISREG(status.st_mode)) {
    return refuse(path.string() + " is not a regular file");
  }
  if ((status.st_mode & 077) != 0) {
    return refuse(path.string() + " can be read or written by others: run chmod 600 " +
                  path.string() + ", and change the keys if others may have seen them");
  }
  std::string text(kMaxFileBytes + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t n = ::read(file.fd(), text.data() + size, text.size() - size);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return file_error("cannot read", path);
    }
    if (n == 0) {
      break;
    }
    size += static_cast<std::size_t>(n);
  }
  if (size > kMaxFileBytes) {
    return refuse(path.string() + " is too large for a credentials file");
  }
  text.resize(size);
  return parse_file(text, path);
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno != EINTR) {
      return false;
    }
    text.remove_prefix(n > 0 ? static_cast<std::size_t>(n) : 0);
  }
  return true;
}

/// Under a temporary name first: after a crash the file is absent or whole, and never readable by
/// others on the way.
Result<void> write_file(const Credential& credential, const std::filesystem::path& path) {
  const std::filesystem::path temporary = path.string() + ".new";
  if (::unlink(temporary.c_str()) != 0 && errno != ENOENT) {
    return file_error("cannot replace", temporary);
  }
  {
    const File file(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    const std::string text =
        "access_key=" + credential.access_key + "\nsecret_key=" + credential.secret_key + "\n";
    if (!file.open() || ::fchmod(file.fd(), 0600) != 0 || !write_all(file.fd(), text) ||
        ::fsync(file.fd()) != 0) {
      return file_error("cannot write", temporary);
    }
  }
  // link, not rename: a file that another start has made in the meantime stays.
  if (::link(temporary.c_str(), path.c_str()) != 0) {
    return file_error("cannot create", path);
  }
  ::unlink(temporary.c_str());
  const File folder(::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.open() || ::fsync(folder.fd()) != 0) {
    return file_error("cannot sync", path.parent_path());
  }
  return ok();
}

Result<Credential> generate(const std::filesystem::path& path, Random& random) {
  Credential credential{random_text(kAccessAlphabet, 20, random),
                        random_text(kSecretAlphabet, 40, random), true};
  TRYV(write_file(credential, path));
  log::info("root credential generated",
            {{"file", path.string()}, {"access_key", credential.access_key}});
  return credential;
}

}  // namespace

StaticKeyStore::StaticKeyStore(std::vector<Credential> credentials) {
  for (Credential& credential : credentials) {
    std::string access_key = credential.access_key;
    x_credentials.insert_or_assign(std::move(access_key), std::move(credential));
  }
}

std::optional<Credential> StaticKeyStore::find(std::string_view access_key) const {
  const auto found = x_credentials.find(access_key);
  return found == x_credentials.end() ? std::nullopt : std::optional(found->second);
}

Result<void> check_credential(const Credential& credential) {
  const std::string_view access = credential.access_key;
  const std::string_view secret = credential.secret_key;
  for (const KnownCredential& known : kKnown) {
    if (access == known.access_key || secret == known.secret_key) {
      return refuse("the credential \"" + std::string(known.access_key) + "\" is " +
                    std::string(known.origin) +
                    " and known to everybody: choose your own, or configure none to have one "
                    "generated");
    }
  }
  const auto allowed = [](char c) {
    return kSecretAlphabet.contains(c) || std::string_view("_-.@+").contains(c);
  };
  if (access.size() < 3 || access.size() > 128 || !std::ranges::all_of(access, allowed)) {
    return refuse("an access key has 3 to 128 letters, digits, or _ - . @ +");
  }
  const auto printable = [](char c) { return c > ' ' && c < '\x7f'; };
  if (secret.size() < 8 || secret.size() > 128 || !std::ranges::all_of(secret, printable)) {
    return refuse("a secret key has 8 to 128 printable ASCII characters without blanks");
  }
  if (access == secret) {
    return refuse("access key and secret key are the same: access keys are not secret");
  }
  return ok();
}

Result<Credential> load_root_credential(const RootCredentialSource& source, Random& random) {
  if (source.access_key.empty() != source.secret_key.empty()) {
    return refuse("the root credential needs both an access key and a secret key, or neither");
  }
  if (!source.access_key.empty()) {
    Credential credential{source.access_key, source.secret_key, true};
    TRYV(check_credential(credential));
    return credential;
  }
  const std::filesystem::path path = source.state_dir / "credentials";
  const File file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file.open()) {
    return errno == ENOENT ? generate(path, random) : file_error("cannot open", path);
  }
  TRY(Credential credential, read_file(file, path));
  TRYV(check_credential(credential));
  return credential;
}

}  // namespace outcrop::auth
