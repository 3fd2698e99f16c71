// A partner of test/partners as a child process: started with its ready file, driven through its control port, ended by
// SIGTERM.
#pragma once

#include <string>
#include <vector>

namespace sgl::test {

/// A new folder in the temporary folder, removed with what is in it at the end.
class TemporaryFolder {
public:
    TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder();
    const std::string& path() const { return path_; }
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

class PartnerProcess {
public:
    /// `script`: `dpi.py`; records go to `out`. Throws std::runtime_error when it is not ready in 60 s.
    PartnerProcess(const std::string& script, const std::string& out, const std::vector<std::string>& arguments);
    PartnerProcess(const PartnerProcess&) = delete;
    PartnerProcess& operator=(const PartnerProcess&) = delete;
    ~PartnerProcess();

    unsigned number(const std::string& name) const;  ///< of its ready file: `port`
    /// POST of a JSON value to its control port; `script` takes a list of faults.
    void post(const std::string& command, const std::string& json) const;
    std::string state() const;  ///< JSON

private:
    std::string request(const std::string& text) const;
    int pid_{-1};
    std::string ready_;
};

/// Runs a program to its end; its exit status. Arguments are not seen by a shell.
int run_program(const std::vector<std::string>& arguments, const std::string& output = "/dev/null");
std::string read_file(const std::string& path);
void write_file(const std::string& path, const std::string& content);

}  // namespace sgl::test
