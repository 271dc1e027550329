module github.com/tacit-vm/tacit

go 1.26
