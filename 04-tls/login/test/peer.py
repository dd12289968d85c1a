# peer.py: PyJWT (Debian's python3-jwt), which checks tokens of ours and makes tokens for us.
#
#   peer.py check ALG KEYS <tokens      "taken" or "refused" for each line NAME TAB TOKEN
#   peer.py make ALG KEYS               tokens, a line each: good, expired, for another audience
import json, sys, time
import jwt

what, alg, path = sys.argv[1:]
keys = {key['kid']: jwt.PyJWK(key, algorithm=alg) for key in json.load(open(path))['keys']}
if what == 'check':
    for line in sys.stdin:
        name, token = line.rstrip('\n').split('\t')
        try:
            key = keys[jwt.get_unverified_header(token)['kid']]
            jwt.decode(token, key.key, algorithms=[alg], audience='workbench', issuer='https://workbench.test',
                       options={'require': ['exp', 'iss', 'aud', 'sub']})
            print(name, 'taken', sep='\t')
        except (jwt.PyJWTError, KeyError):
            print(name, 'refused', sep='\t')
else:
    kid = list(keys)[-1]
    good = {'iss': 'https://workbench.test', 'aud': 'workbench', 'sub': 'carol', 'role': 'user', 'exp': int(time.time()) + 300}
    for claims in good, {**good, 'exp': 1}, {**good, 'aud': 'payroll'}:
        print(jwt.encode(claims, keys[kid].key, algorithm=alg, headers={'kid': kid}))
