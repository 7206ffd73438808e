import ArgumentParser
import ProbeDocument
import Signing

struct Keys: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "key",
    abstract: "Create, list, export, activate and retire signing keys.",
    subcommands: [Create.self, List.self, Export.self, Activate.self, Retire.self])

  struct Folders: ParsableArguments {
    @Option(help: ArgumentHelp("The folder of private keys.", valueName: "folder"))
    var keys = KeyStore.standardDirectory

    @Option(help: ArgumentHelp("The folder of trusted public keys.", valueName: "folder"))
    var trusted = TrustedKeys.standardDirectory

    var store: KeyStore { KeyStore(directory: keys, trusted: trusted) }
  }

  struct Create: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make a key, and trust it on this machine. The first one signs at once.")

    @Flag(help: "Only where no key signs yet.")
    var ifMissing = false

    @OptionGroup var folders: Folders

    func run() throws {
      try reporting { () throws(ProbeError) in
        let key = try folders.store.create(isMissingOnly: ifMissing)
        print(key.id)
      }
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the keys and their states.")

    @OptionGroup var folders: Folders

    func run() throws {
      try reporting { () throws(ProbeError) in
        for entry in try folders.store.list() {
          print(entry.id, entry.state.rawValue, entry.isPrivate ? "private key here" : "")
        }
      }
    }
  }

  struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write public keys, and notes of retired ones, into a folder for compute nodes.")

    @Argument(help: "The key's id; every key where there is none.")
    var id: String?

    @Option(help: ArgumentHelp("The folder.", valueName: "folder"))
    var to: String

    @OptionGroup var folders: Folders

    func run() throws {
      try reporting { () throws(ProbeError) in
        for name in try folders.store.export(id, to: to) { print(to + "/" + name) }
      }
    }
  }

  struct Activate: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Sign with that key from the service's next start on.")

    @Argument(help: "The key's id.")
    var id: String

    @OptionGroup var folders: Folders

    func run() throws {
      try reporting { () throws(ProbeError) in
        try folders.store.activate(id)
        print("now: systemctl restart datacrumbs_sign_probes.service")
      }
    }
  }

  struct Retire: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Refuse a key's documents from now on, and forget its private half.")

    @Argument(help: "The key's id.")
    var id: String

    @OptionGroup var folders: Folders

    func run() throws {
      try reporting { () throws(ProbeError) in
        try folders.store.retire(id)
        print("now: copy \(folders.trusted)/\(id).retired to the compute nodes")
      }
    }
  }
}
