import Glibc
import SubmitCommand

exit(SubmitProgram.main(CommandLine.arguments))
