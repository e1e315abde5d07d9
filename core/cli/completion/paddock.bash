# Bash completion for paddock. The program itself knows the words.
_paddock() {
    local word words=()
    while IFS= read -r word; do words+=("$word"); done < <(paddock __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    mapfile -t COMPREPLY < <(compgen -W "${words[*]%%$'\t'*}" -- "${COMP_WORDS[COMP_CWORD]}")
    if [[ ${#COMPREPLY[@]} -eq 0 || ${COMP_WORDS[COMP_CWORD]} == */* ]]; then
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
        compopt -o filenames 2>/dev/null
    fi
}
complete -F _paddock paddock
