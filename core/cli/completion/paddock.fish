# Fish completion for paddock. The program itself knows the words.
function __paddock_words
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    paddock __complete $words[2..-1] "$current" 2>/dev/null
end
complete -c paddock -a '(__paddock_words)'
