// Exercises one file at random against a copy in memory: reads, writes, mapped stores, truncations,
// holes, appends, reopening. Ends with 1 and the operation's number at the first difference.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace {

constexpr std::size_t kMaxFile = 1 << 20;
constexpr std::size_t kMaxTransfer = 64 << 10;

class Exerciser {
 public:
  Exerciser(std::string path, unsigned seed) : x_path(std::move(path)), x_random(seed) { reopen(); }
  ~Exerciser() { close(x_file); }
  Exerciser(const Exerciser&) = delete;

  void run(unsigned operations) {
    for (x_operation = 0; x_operation < operations; ++x_operation) {
      step(pick(100));
    }
    reopen();
    check(0, x_model.size());
  }

 private:
  void step(std::size_t dice) {
    if (dice < 35) {
      write_some(pick(kMaxFile - kMaxTransfer));
    } else if (dice < 65) {
      read_some();
    } else if (dice < 72) {
      write_some(std::min(x_model.size(), kMaxFile - kMaxTransfer));
    } else if (dice < 80) {
      resize(pick(kMaxFile));
    } else if (dice < 86) {
      punch();
    } else if (dice < 94) {
      store_mapped();
    } else if (dice < 97) {
      require(fsync(x_file) == 0, "fsync");
    } else {
      reopen();
    }
  }

  std::size_t pick(std::size_t below) {
    return std::uniform_int_distribution<std::size_t>(0, below - 1)(x_random);
  }

  void require(bool condition, const char* what) const {
    if (!condition) {
      std::fprintf(stderr, "operation %u: %s: %s\n", x_operation, what, std::strerror(errno));
      std::exit(1);
    }
  }

  void reopen() {
    if (x_file >= 0) {
      require(close(x_file) == 0, "close");
    }
    x_file = open(x_path.c_str(), O_RDWR | O_CREAT | (x_started ? 0 : O_TRUNC), 0644);
    x_started = true;
    require(x_file >= 0, "open");
    struct stat status{};
    require(fstat(x_file, &status) == 0, "fstat");
    require(static_cast<std::size_t>(status.st_size) == x_model.size(), "size after reopening");
  }

  void write_some(std::size_t offset) {
    std::vector<char> data(1 + pick(kMaxTransfer));
    for (char& c : data) {
      c = static_cast<char>(x_random());
    }
    const auto written = pwrite(x_file, data.data(), data.size(), static_cast<off_t>(offset));
    require(written == static_cast<ssize_t>(data.size()), "pwrite");
    x_model.resize(std::max(x_model.size(), offset + data.size()));
    std::ranges::copy(data, x_model.begin() + static_cast<std::ptrdiff_t>(offset));
  }

  void read_some() {
    const std::size_t offset = pick(kMaxFile);
    check(offset, 1 + pick(kMaxTransfer));
  }

  void check(std::size_t offset, std::size_t length) {
    std::vector<char> data(length + 1);
    const auto got = pread(x_file, data.data(), length, static_cast<off_t>(offset));
    const std::size_t want =
        offset >= x_model.size() ? 0 : std::min(length, x_model.size() - offset);
    require(got == static_cast<ssize_t>(want), "pread: length");
    for (std::size_t i = 0; i < want; ++i) {
      if (data[i] != x_model[offset + i]) {
        std::fprintf(stderr, "operation %u: byte %zu differs\n", x_operation, offset + i);
        std::exit(1);
      }
    }
  }

  void resize(std::size_t size) {
    require(ftruncate(x_file, static_cast<off_t>(size)) == 0, "ftruncate");
    x_model.resize(size);
  }

  void punch() {
    const std::size_t offset = pick(kMaxFile), length = 1 + pick(kMaxTransfer);
    const int done = fallocate(x_file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                               static_cast<off_t>(offset), static_cast<off_t>(length));
    if (done != 0 && errno == EOPNOTSUPP) {
      return;  // NFS before 4.2
    }
    require(done == 0, "punch hole");
    for (std::size_t i = offset; i < std::min(offset + length, x_model.size()); ++i) {
      x_model[i] = 0;
    }
  }

  void store_mapped() {
    if (x_model.size() < 2) {
      return;
    }
    const std::size_t offset = pick(x_model.size() - 1);
    const std::size_t length = 1 + pick(std::min(kMaxTransfer, x_model.size() - offset));
    void* const map = mmap(nullptr, x_model.size(), PROT_READ | PROT_WRITE, MAP_SHARED, x_file, 0);
    require(map != MAP_FAILED, "mmap");
    const char fill = static_cast<char>(x_random());
    std::memset(static_cast<char*>(map) + offset, fill, length);
    std::memset(x_model.data() + offset, fill, length);
    require(msync(map, x_model.size(), MS_SYNC) == 0, "msync");
    require(munmap(map, x_model.size()) == 0, "munmap");
  }

  const std::string x_path;
  std::mt19937 x_random;
  std::vector<char> x_model;
  int x_file = -1;
  bool x_started = false;
  unsigned x_operation = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s FILE SEED OPERATIONS\n", argv[0]);
    return 2;
  }
  Exerciser(argv[1], static_cast<unsigned>(std::strtoul(argv[2], nullptr, 10)))
      .run(static_cast<unsigned>(std::strtoul(argv[3], nullptr, 10)));
  return 0;
}
